/** Takes finished segments out of an encoder's folder, checks them, and puts them into the store at once. */
import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { MediaError } from '../../contracts/errors.js';
import { INIT_FILE, MIME, segmentName, type StreamType } from '../../media/video/layout.js';
import { readFragment, readInit, type FragmentFacts, type InitFacts } from '../../media/video/mp4.js';
import { metrics } from '../../metrics/index.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { IMMUTABLE } from '../cache-control.js';
import { readRegularFile } from '../untrusted-file.js';

export interface ShippedSegment {
  readonly segment: number;
  readonly bytes: number;
  /** Frames, or AAC frames. */
  readonly samples: number;
  /** Object key. */
  readonly key: string;
  /** False when somebody else's was there before. */
  readonly isOurs: boolean;
}

export interface Stream {
  readonly type: StreamType;
  /** Name of the rung or track, and of its folder in `dir`. */
  readonly name: string;
  /** Object keys start with this. */
  readonly prefix: string;
  readonly firstSegment: number;
  /**
   * Checks a finished segment and moves it in time. Called once for every segment, in order.
   * @throws MediaError VERIFY_FAILED
   */
  prepare(bytes: Buffer, facts: FragmentFacts, init: InitFacts, segment: number): Buffer;
}

export interface Destination {
  readonly store: Pick<ObjectStore, 'read' | 'putIfAbsent'>;
  readonly bucket: string;
}

/** What is copied comes faster than one request after another can take it away. */
const AT_ONCE = 4;

interface Ready {
  readonly segment: number;
  readonly path: string;
  readonly samples: number;
  /** Absent where it is empty. */
  readonly bytes?: Buffer | undefined;
}

export class StreamShipper {
  readonly shipped: ShippedSegment[] = [];
  init: InitFacts | undefined;
  private next: number;
  /** From `next` on. */
  private readonly prepared: Ready[] = [];

  constructor(
    private readonly dir: string,
    private readonly stream: Stream,
    private readonly to: Destination,
  ) {
    this.next = stream.firstSegment;
  }

  /** One past the last segment that is whole now. A file has its final name only when it is. */
  async finished(): Promise<number> {
    let segment = this.next;
    while (await exists(this.path(segmentName(segment)))) segment += 1;
    return segment;
  }

  /** Ships whatever is finished now, or only what comes before a segment. After a failure it may be called again. */
  async ship(signal: AbortSignal, before = Infinity): Promise<void> {
    for (;;) {
      await this.prepareSome(signal, before);
      if (this.prepared.length === 0) return;
      const puts = await Promise.allSettled(this.prepared.map((one) => this.put(one, signal)));
      for (const outcome of puts) {
        if (outcome.status === 'rejected') throw outcome.reason;
        const { path } = this.prepared.shift()!;
        if (outcome.value) this.shipped.push(outcome.value);
        await rm(path);
        this.next += 1;
      }
    }
  }

  /** Checks and moves the next finished segments, in order and each of them once. */
  private async prepareSome(signal: AbortSignal, before: number): Promise<void> {
    for (
      let segment = this.next + this.prepared.length;
      segment < before && this.prepared.length < AT_ONCE;
      segment += 1
    ) {
      const path = this.path(segmentName(segment));
      const bytes = await readRegularFile(path);
      if (!bytes) return;
      const facts = parse(() => readFragment(bytes));
      const { samples } = facts;
      // The muxer opens a segment before it knows that nothing will come.
      if (samples === 0) this.prepared.push({ segment, path, samples });
      else {
        const init = (this.init ??= await this.putInit(signal));
        this.prepared.push({ segment, path, samples, bytes: this.stream.prepare(bytes, facts, init, segment) });
      }
    }
  }

  private async put({ segment, samples, bytes }: Ready, signal: AbortSignal): Promise<ShippedSegment | undefined> {
    if (!bytes) return undefined;
    const key = this.stream.prefix + segmentName(segment);
    const isOurs = await this.putObject(key, bytes, signal);
    if (isOurs) metrics.segments.inc({ kind: this.stream.type });
    return { segment, bytes: bytes.length, samples, key, isOurs };
  }

  /** All runs of a stream share one init segment: a different one would make earlier segments unreadable. */
  private async putInit(signal: AbortSignal): Promise<InitFacts> {
    const bytes = await readRegularFile(this.path(INIT_FILE));
    if (!bytes) throw new MediaError('VERIFY_FAILED', `${this.stream.name} has no init segment.`);
    const facts = parse(() => readInit(bytes));
    const key = this.stream.prefix + INIT_FILE;
    if (await this.putObject(key, bytes, signal)) return facts;
    const there = await this.to.store.read(this.to.bucket, key, { signal });
    if (!there.equals(bytes)) throw new MediaError('VERIFY_FAILED', `${this.stream.name}: init segments differ.`);
    return facts;
  }

  /** The first writer wins: whoever comes later made the same, from the same source on the same grid. */
  private putObject(key: string, bytes: Buffer, signal: AbortSignal): Promise<boolean> {
    const contentType = MIME[this.stream.type];
    return this.to.store.putIfAbsent(this.to.bucket, key, bytes, { contentType, cacheControl: IMMUTABLE, signal });
  }

  private path(name: string): string {
    return join(this.dir, this.stream.name, name);
  }
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new MediaError('VERIFY_FAILED', 'The encoder wrote a segment that can not be read.', { cause });
  }
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
