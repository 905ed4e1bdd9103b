/** Encodes rungs of one chunk; what the store already has is not made again. */
import type { ChunkRequest } from '../../contracts/activities.js';
import { MediaError } from '../../contracts/errors.js';
import {
  framesOfChunk,
  type Chunk,
  type ChunkResult,
  type Grid,
  type RungQuality,
  type VideoPlan,
  type VideoRung,
} from '../../contracts/plan.js';
import { workOf } from '../../contracts/projection.js';
import { chunkEnd, chunkFrom, NO_STILLS } from '../../media/video/chunk-result.js';
import { segmentName, streamPrefix } from '../../media/video/layout.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';
import { rungsForNow } from './contention.js';
import { encodePart, type MadePart, type Part } from './encode-part.js';
import { hasDeadline, timingOf } from './pace.js';
import { findPresent, framesPresent, type Present } from './present.js';
import { measureQuality } from './quality.js';

type PlanOnGrid = VideoPlan & { readonly grid: Grid };

export function createEncodeChunk(context: ActivityContext) {
  return activity(context.logger, async (scope, asked: ChunkRequest): Promise<ChunkResult> => {
    const startedAt = Date.now();
    const request = { ...asked, rungs: await rungsForNow(context, scope, asked) };
    const { job, chunk } = request;
    const plan = onGrid(request.plan);
    const { grid } = plan;
    const rungs = request.rungs.map((name) => rungOf(plan, name));
    const present = await findPresent(context, scope.signal, job, plan, { chunk, rungs, stills: request.stills });
    const start = present.firstMissing;
    const made = start < chunkEnd(chunk) ? await encodeRest(context, scope, request, plan, rungs, present) : undefined;
    // Somebody cancelled all rungs but a copied one: it was run for its stills alone, and counts nothing.
    if (rungs.length === 0) return wholeChunk(grid, chunk, made);
    const frames = made?.frames
      ? framesOfChunk(grid, { ...chunk, segments: start - chunk.firstSegment }) + made.frames
      : await framesBefore(context, scope, request, grid, present);
    if (frames === 0 && chunk.firstSegment === 0) throw new MediaError('DAMAGED_FILE', 'No frame could be decoded.');
    const quality = await judgeQuality(context, scope, request, plan, rungs, { frames, start, made });
    const endedEarly = frames < framesOfChunk(grid, chunk);
    scope.logger.info('chunk encoded', {
      assetId: job.assetId,
      chunk,
      rungs: request.rungs,
      startSegment: start,
      frames,
      endedEarly,
      quality,
      tool: made && { wallMs: made.wallMs, peakMemoryKiB: made.peakMemoryKiB },
    });
    const result = { frames, endedEarly, damagedFrames: made?.damagedFrames ?? 0, quality };
    if (!hasDeadline(job)) return result;
    const left = asked.rungs.filter((name) => !request.rungs.includes(name));
    const work = made ? workOf(plan, chunkFrom(chunk, start), rungs, request) : 0;
    const timing = await timingOf(context, scope, job, { work, wallMs: made?.wallMs ?? 0, startedAt });
    return { ...result, ...(left.length > 0 && { left }), timing };
  });
}

const wholeChunk = (grid: Grid, chunk: Chunk, made: MadePart | undefined): ChunkResult => ({
  frames: framesOfChunk(grid, chunk),
  endedEarly: false,
  damagedFrames: made?.damagedFrames ?? 0,
  quality: [],
});

function onGrid(plan: VideoPlan): PlanOnGrid {
  if (!plan.grid) throw new TypeError('a chunk needs a grid');
  return plan as PlanOnGrid;
}

function rungOf({ rungs }: VideoPlan, name: string): VideoRung {
  const rung = rungs.find((one) => one.name === name);
  if (!rung || rung.passthrough) throw new TypeError(`${name} is no rung to encode`);
  return rung;
}

/** Rungs that lack nothing from here on are only compared with the source, while it is decoded anyway. */
function encodeRest(
  context: ActivityContext,
  scope: ActivityScope,
  request: ChunkRequest,
  plan: PlanOnGrid,
  rungs: readonly VideoRung[],
  { firstMissing, segments, missingStills }: Present,
): Promise<MadePart> {
  const { job, chunk } = request;
  const rest = chunkFrom(chunk, firstMissing);
  const lacking = rungs.filter((_, i) => !hasAll(segments[i]!, rest));
  const before = { firstSegment: chunk.firstSegment, segments: firstMissing - chunk.firstSegment };
  const measured = isMeasured(request) ? rungs : [];
  // Only stills are missing: they come with the smallest rung, which costs next to nothing.
  const encoded = lacking.length > 0 ? lacking : rungs.toSorted((a, b) => a.width - b.width).slice(0, 1);
  return encodePart(context, scope, {
    job,
    plan,
    chunk: rest,
    rungs: encoded,
    stills: missingStills,
    measured,
    viewerWaits: request.viewerWaits ?? false,
    isHasty: request.isHasty,
    before,
  });
}

const hasAll = (segments: ReadonlySet<number>, { firstSegment, segments: count }: Chunk): boolean =>
  Array.from({ length: count }, (_, i) => segments.has(firstSegment + i)).every(Boolean);

/** Where somebody waits for the picture, the look at it comes later: with the chunk that it is a part of. */
const isMeasured = ({ plan, stills, viewerWaits = false }: ChunkRequest): boolean =>
  plan.minSsim > 0 && (stills || !viewerWaits);

/** Nothing came, from where the encode began: the source ends with what was there before, or in front of the chunk. */
async function framesBefore(
  context: ActivityContext,
  { signal }: ActivityScope,
  { job, rungs }: ChunkRequest,
  grid: Grid,
  { segments, firstMissing }: Present,
): Promise<number> {
  const there = new Set([...segments[0]!].filter((segment) => segment < firstMissing));
  return framesPresent(context, signal, streamPrefix(job, 'video', rungs[0]!), grid, there);
}

interface Encoded {
  readonly frames: number;
  /** First segment that this attempt made. */
  readonly start: number;
  readonly made: MadePart | undefined;
}

/** What resembles its source too little is encoded once more, alone; what then comes out stands, for others to judge. */
async function judgeQuality(
  context: ActivityContext,
  scope: ActivityScope,
  request: ChunkRequest,
  plan: PlanOnGrid,
  rungs: readonly VideoRung[],
  encoded: Encoded,
): Promise<readonly RungQuality[]> {
  if (encoded.frames === 0 || !isMeasured(request)) return [];
  const quality = lowest([
    ...(encoded.made?.quality ?? []),
    ...(await leftUnmeasured(context, scope, request, encoded)),
  ]);
  const low = quality.filter(({ ssim }) => ssim < plan.minSsim).map(({ name }) => name);
  if (low.length === 0) return quality;
  const { job, chunk } = request;
  scope.logger.warn('too unlike its source: encoding again', { assetId: job.assetId, chunk, quality });
  const again = rungs.filter(({ name }) => low.includes(name));
  const keys = again.flatMap(({ name }) => segmentKeys(streamPrefix(job, 'video', name), chunk));
  await context.store.remove(context.config.storage.mediaBucket, keys);
  const before = { firstSegment: chunk.firstSegment, segments: 0 };
  const part: Part = { job, plan, chunk, rungs: again, stills: NO_STILLS, measured: again, viewerWaits: false, before };
  const second = await encodePart(context, scope, part);
  return [...quality.filter(({ name }) => !low.includes(name)), ...second.quality];
}

/** An attempt that died had no time to look at what it left: then the borders of that are looked at now. */
async function leftUnmeasured(
  context: ActivityContext,
  scope: ActivityScope,
  { job, plan, chunk, rungs }: ChunkRequest,
  { start, made }: Encoded,
): Promise<RungQuality[]> {
  if (scope.info.attempt === 1 || start === chunk.firstSegment) return [];
  const last = made ? [] : [start - 1];
  const borders = [...new Set([chunk.firstSegment, ...last])];
  const qualities: RungQuality[] = [];
  for (const firstSegment of borders)
    qualities.push(...(await measureQuality(context, scope, job, plan, { firstSegment, segments: 1 }, rungs)));
  return qualities;
}

const segmentKeys = (prefix: string, { firstSegment, segments }: Chunk): string[] =>
  Array.from({ length: segments }, (_, i) => prefix + segmentName(firstSegment + i));

function lowest(qualities: readonly RungQuality[]): RungQuality[] {
  const names = [...new Set(qualities.map(({ name }) => name))];
  return names.map((name) => {
    const all = qualities.filter((one) => one.name === name).map(({ ssim }) => ssim);
    return { name, ssim: Math.min(...all) };
  });
}
