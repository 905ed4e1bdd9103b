/** Reads from the store what verification compares: of every segment its size and its first bytes, no media data. */
import pLimit from 'p-limit';

import { outputPrefix, type Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import { readFragmentHead, readTrack, type FragmentHead } from '../../media/video/fragment-head.js';
import { INIT_FILE, segmentName, streamUri, type StreamType } from '../../media/video/layout.js';
import { readInit } from '../../media/video/mp4.js';
import type { SegmentScan, StreamScan } from '../../media/video/verify.js';
import type { ObjectStore } from '../../storage/object-store.js';

export interface Shelf {
  readonly store: Pick<ObjectStore, 'list' | 'read' | 'readRange'>;
  readonly bucket: string;
  readonly signal?: AbortSignal | undefined;
}

/** Name below the generation's prefix -> bytes. */
export type Listing = ReadonlyMap<string, number>;

type Generation = Pick<Job, 'assetId' | 'generation'>;

/** Requests under way: the answers are small, so it is waiting that takes time. */
const READS = 24;
/** The header of a segment of 4 s at 60 frames a second is half as long. */
const HEAD_BYTES = 8 * 1024;
/** An init segment has no media data; more than this is not one. */
const MAX_INIT_BYTES = 1024 ** 2;

export async function listOutputs({ store, bucket, signal }: Shelf, job: Generation): Promise<Listing> {
  const prefix = outputPrefix(job.assetId, job.generation);
  const listing = new Map<string, number>();
  for await (const { key, bytes } of store.list(bucket, prefix, { signal })) {
    listing.set(key.slice(prefix.length), bytes);
  }
  return listing;
}

/** @param count segments that it should have. @param onProgress called after each */
export async function scanStream(
  shelf: Shelf,
  job: Generation,
  stream: { readonly type: StreamType; readonly name: string },
  count: number,
  listing: Listing,
  onProgress: () => void = () => undefined,
): Promise<StreamScan> {
  const folder = streamUri(stream.type, stream.name);
  const prefix = outputPrefix(job.assetId, job.generation) + folder;
  const limit = pLimit(READS);
  const segments = new Map<number, SegmentScan>();
  const numbers = Array.from({ length: count }, (_, segment) => segment);
  const init = await scanInit(shelf, prefix + INIT_FILE, listing.get(folder + INIT_FILE) ?? 0);
  await limit.map(numbers, async (segment) => {
    const name = segmentName(segment);
    const bytes = listing.get(folder + name) ?? 0;
    if (bytes > 0) segments.set(segment, await scanSegment(shelf, prefix + name, bytes));
    onProgress();
  });
  return { ...init, segments };
}

async function scanInit(
  { store, bucket, signal }: Shelf,
  key: string,
  initBytes: number,
): Promise<Omit<StreamScan, 'segments'>> {
  if (initBytes === 0 || initBytes > MAX_INIT_BYTES) return { initBytes };
  const bytes = await orMissing(store.read(bucket, key, { signal }));
  if (!bytes) return { initBytes: 0 };
  try {
    return { initBytes, init: { ...readInit(bytes), ...readTrack(bytes) } };
  } catch (error) {
    if (error instanceof RangeError) return { initBytes };
    throw error;
  }
}

async function scanSegment(shelf: Shelf, key: string, total: number): Promise<SegmentScan> {
  try {
    const head = await readHead(shelf, key, total);
    return { bytes: head ? total : 0, head };
  } catch (error) {
    // Whatever the bytes are, they are not for us to trust: what can not be read is a finding.
    if (error instanceof RangeError)
      return { bytes: total, problem: SENTENCE.test(error.message) ? error.message : undefined };
    throw error;
  }
}

/** Our own words, and not those of a buffer that was read past its end. */
const SENTENCE = /^It[s ].*\.$/;

/** @returns undefined when the object has gone meanwhile */
async function readHead(
  { store, bucket, signal }: Shelf,
  key: string,
  total: number,
): Promise<FragmentHead | undefined> {
  for (let length = Math.min(HEAD_BYTES, total); ;) {
    const bytes = await orMissing(store.readRange(bucket, key, 0, length, { signal }));
    if (!bytes) return undefined;
    const head = readFragmentHead(bytes, 0, total);
    if (!('need' in head)) return head;
    if (head.need <= length) throw new RangeError('It ends before its media data.');
    length = head.need;
  }
}

async function orMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (MediaError.is(error) && error.code === 'OBJECT_MISSING') return undefined;
    throw error;
  }
}
