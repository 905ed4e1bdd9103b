/** Takes finished segments out of an encoder's folder, checks them, and puts them into the store at once. */
import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { MediaError } from '../../contracts/errors.js';
import { INIT_FILE, MIME, segmentName, type StreamType } from '../../media/video/layout.js';
import { readFragment, readInit, type FragmentFacts, type InitFacts } from '../../media/video/mp4.js';
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
   * Checks a finished segment and moves it in time. Called for every segment in order.
   * @throws MediaError VERIFY_FAILED
   */
  prepare(bytes: Buffer, facts: FragmentFacts, init: InitFacts, segment: number): Buffer;
}

export interface Destination {
  readonly store: Pick<ObjectStore, 'read' | 'putIfAbsent'>;
  readonly bucket: string;
}

export class StreamShipper {
  readonly shipped: ShippedSegment[] = [];
  init: InitFacts | undefined;
  private next: number;

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

  /** Ships whatever is finished now, or only what comes before a segment. */
  async ship(signal: AbortSignal, before = Infinity): Promise<void> {
    while (this.next < before) {
      const path = this.path(segmentName(this.next));
      const bytes = await readRegularFile(path);
      if (!bytes) return;
      const facts = parse(() => readFragment(bytes));
      // The muxer opens a segment before it knows that nothing will come.
      if (facts.samples > 0) await this.put(bytes, facts, signal);
      await rm(path);
      this.next += 1;
    }
  }

  private async put(bytes: Buffer, facts: FragmentFacts, signal: AbortSignal): Promise<void> {
    const init = (this.init ??= await this.putInit(signal));
    const segment = this.next;
    const ready = this.stream.prepare(bytes, facts, init, segment);
    const key = this.stream.prefix + segmentName(segment);
    const isOurs = await this.putObject(key, ready, signal);
    this.shipped.push({ segment, bytes: ready.length, samples: facts.samples, key, isOurs });
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
