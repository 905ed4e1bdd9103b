/** What of a chunk the store has. It is the truth; heartbeats are hints. */
import { MediaError } from '../../contracts/errors.js';
import { framesOfChunk, type Chunk, type Grid, type VideoPlan, type VideoRung } from '../../contracts/plan.js';
import type { Job } from '../../contracts/assets.js';
import {
  chunkEnd,
  commonPrefix,
  firstMissing,
  firstOfStills,
  holds,
  NO_STILLS,
  stillsOf,
  type ChunkStills,
} from '../../media/video/chunk-result.js';
import { INIT_FILE, posterFrameKey, segmentName, segmentOf, streamPrefix, tileKey } from '../../media/video/layout.js';
import { readFragment } from '../../media/video/mp4.js';
import type { ActivityContext } from '../context.js';

type Needs = Pick<ActivityContext, 'config' | 'store'>;

export interface Present {
  /** Numbers of the segments that are there, per rung, in the order of the rungs. */
  readonly segments: readonly ReadonlySet<number>[];
  /** Those of the chunk's stills that are not there. */
  readonly missingStills: ChunkStills;
  /** Where an encode has to begin; the chunk's end when nothing is missing. */
  readonly firstMissing: number;
}

export async function findPresent(
  context: Needs,
  signal: AbortSignal,
  job: Job,
  plan: VideoPlan & { readonly grid: Grid },
  { chunk, rungs, stills }: { readonly chunk: Chunk; readonly rungs: readonly VideoRung[]; readonly stills: boolean },
): Promise<Present> {
  const wanted = stills ? stillsOf(plan.stills, plan.grid, chunk) : NO_STILLS;
  const [segments, posters, tiles] = await Promise.all([
    Promise.all(rungs.map((rung) => segmentsOf(context, signal, streamPrefix(job, 'video', rung.name), chunk))),
    absent(context, signal, wanted.posterFrames, (frame) => posterFrameKey(job, frame)),
    absent(context, signal, wanted.tiles, (tile) => tileKey(job, tile)),
  ]);
  const missingStills = { posterFrames: posters, tiles };
  return {
    segments,
    missingStills,
    firstMissing: Math.min(firstMissing(chunk, segments), firstOfStills(missingStills, plan.stills, plan.grid)),
  };
}

/** Without its init segment nothing of a rung is there. */
async function segmentsOf(
  { config, store }: Needs,
  signal: AbortSignal,
  prefix: string,
  chunk: Chunk,
): Promise<ReadonlySet<number>> {
  const bucket = config.storage.mediaBucket;
  const names = commonPrefix(segmentName(chunk.firstSegment), segmentName(chunkEnd(chunk) - 1));
  const segments = new Set<number>();
  for await (const { key, bytes } of store.list(bucket, prefix + names, { signal })) {
    const segment = segmentOf(key.slice(prefix.length));
    if (segment !== undefined && holds(chunk, segment) && bytes > 0) segments.add(segment);
  }
  if (segments.size > 0 && !(await isThere({ config, store }, signal, prefix + INIT_FILE))) segments.clear();
  return segments;
}

async function absent(
  { config, store }: Needs,
  signal: AbortSignal,
  numbers: readonly number[],
  keyOf: (number: number) => string,
): Promise<number[]> {
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (first === undefined || last === undefined) return [];
  const there = new Set<string>();
  const prefix = commonPrefix(keyOf(first), keyOf(last));
  for await (const { key } of store.list(config.storage.mediaBucket, prefix, { signal })) there.add(key);
  return numbers.filter((number) => !there.has(keyOf(number)));
}

async function isThere({ config, store }: Needs, signal: AbortSignal, key: string): Promise<boolean> {
  try {
    await store.stat(config.storage.mediaBucket, key, { signal });
    return true;
  } catch (error) {
    if (MediaError.is(error) && error.code === 'OBJECT_MISSING') return false;
    throw error;
  }
}

/**
 * Frames of the segments that are there: each was checked when it was put, so all but the last are full by their
 * place on the grid; the last may be the end of a source that is shorter than planned.
 */
export async function framesPresent(
  { config, store }: Needs,
  signal: AbortSignal,
  prefix: string,
  grid: Grid,
  segments: ReadonlySet<number>,
): Promise<number> {
  if (segments.size === 0) return 0;
  const last = Math.max(...segments);
  const full = [...segments].filter((segment) => segment !== last);
  const before = full.reduce((sum, segment) => sum + framesOfChunk(grid, { firstSegment: segment, segments: 1 }), 0);
  const bytes = await store.read(config.storage.mediaBucket, prefix + segmentName(last), { signal });
  return before + readFragment(bytes).samples;
}
