/** One ffmpeg over a part of a chunk: its segments and stills into the store, its quality measured. */
import type { Job } from '../../contracts/assets.js';
import { ERRORS, MediaError } from '../../contracts/errors.js';
import {
  framesOfChunk,
  framesOfSegment,
  secondsOf,
  type Chunk,
  type Grid,
  type RungQuality,
  type VideoPlan,
  type VideoRung,
} from '../../contracts/plan.js';
import { chunkEnd, type ChunkStills } from '../../media/video/chunk-result.js';
import { damagedFrames } from '../../media/video/damage.js';
import { chunkWindow, encodeChunkRun } from '../../media/video/encode-args.js';
import { streamPrefix } from '../../media/video/layout.js';
import { alignFragment, type FragmentFacts, type InitFacts } from '../../media/video/mp4.js';
import { framesOfSamples, samplesOf } from '../../media/video/quality.js';
import { durationClassOf, metrics } from '../../metrics/index.js';
import type { ActivityContext } from '../context.js';
import type { ActivityScope } from '../scope.js';
import { compareStored } from './quality.js';
import { runEncode } from './run-encode.js';
import { StreamShipper, type ShippedSegment, type Stream } from './shipper.js';
import { shipStills } from './stills.js';
import { copyWatermark } from './watermark.js';
import { NeedsWholeSource, withSource } from './with-source.js';

export interface Part {
  readonly job: Job;
  readonly plan: VideoPlan & { readonly grid: Grid };
  /** What to make. */
  readonly chunk: Chunk;
  readonly rungs: readonly VideoRung[];
  readonly stills: ChunkStills;
  /** Rungs to compare with the source: also some that are there already. */
  readonly measured: readonly VideoRung[];
  readonly viewerWaits: boolean;
  readonly isHasty?: boolean | undefined;
  /** Frames and segments that were there before, for progress. */
  readonly before: Chunk;
}

export interface MadePart {
  /** Of every rung; 0 where none was encoded. */
  readonly frames: number;
  readonly damagedFrames: number;
  readonly quality: readonly RungQuality[];
  readonly wallMs: number;
  readonly peakMemoryKiB: number;
}

export async function encodePart(context: ActivityContext, scope: ActivityScope, part: Part): Promise<MadePart> {
  const { job, plan, chunk } = part;
  const { grid } = plan;
  const { config, store } = context;
  const bucket = config.storage.mediaBucket;
  const encode = async (dir: string, { sliced }: { readonly sliced: boolean }): Promise<MadePart> => {
    const shippers = part.rungs.map((rung) => {
      return new StreamShipper(dir, onGrid(job, rung.name, grid, chunk.firstSegment), { store, bucket });
    });
    try {
      const made = await run(context, scope, dir, part, shippers);
      if (sliced && made.damagedFrames > 0) throw new NeedsWholeSource('frames are damaged');
      const isShort = part.rungs.length > 0 && made.frames < framesOfChunk(grid, chunk);
      if (sliced && isShort) throw new NeedsWholeSource('frames are missing');
      return made;
    } catch (error) {
      // What a slice that did not do left behind must not be there when the whole source is tried.
      if (sliced && speaksAgainstSource(error)) await store.remove(bucket, ourKeys(shippers));
      throw error;
    }
  };
  return withSource(context, scope, job, `chunk-${chunk.firstSegment}`, encode, chunkWindow(plan, chunk));
}

const speaksAgainstSource = (error: unknown): boolean =>
  error instanceof NeedsWholeSource || (MediaError.is(error) && ERRORS[error.code].attempts !== Infinity);

const ourKeys = (shippers: readonly StreamShipper[]): string[] =>
  shippers.flatMap(({ shipped }) => shipped.filter(({ isOurs }) => isOurs).map(({ key }) => key));

async function run(
  context: ActivityContext,
  scope: ActivityScope,
  dir: string,
  { job, plan, chunk, rungs, stills, measured, viewerWaits, isHasty, before }: Part,
  shippers: readonly StreamShipper[],
): Promise<MadePart> {
  const { grid } = plan;
  const { store, config } = context;
  const samples = measured.length > 0 ? samplesOf(grid, chunk) : [];
  const references = { sizes: measured, frames: framesOfSamples(grid, samples) };
  const { command, frames, leadSeconds, folders } = encodeChunkRun(plan, chunk, { rungs, stills, references, isHasty });
  await copyWatermark(context, plan, dir);
  const framesBefore = framesOfChunk(grid, before);
  let progress = { frame: 0, speed: 0 };
  const tell = (): void =>
    scope.report({
      step: 'encode',
      what: `segments ${before.firstSegment}-${chunkEnd(chunk) - 1}`,
      percent: Math.min(100, ((framesBefore + progress.frame) / (framesBefore + frames)) * 100),
      segmentsDone: before.segments + Math.min(...shippers.map(({ shipped }) => shipped.length), chunk.segments),
      frames: progress.frame,
      speed: progress.speed,
    });
  const ship = async (signal: AbortSignal): Promise<void> => {
    // Stills first: a segment that is there says that they are there too.
    const whole = await Promise.all(shippers.map((shipper) => shipper.finished()));
    await shipStills(dir, job, stills, { store, bucket: config.storage.mediaBucket }, signal);
    await Promise.all(shippers.map((shipper, i) => shipper.ship(signal, whole[i])));
    tell();
  };
  tell();
  const { stderr, wallMs, peakMemoryKiB } = await runEncode(context, scope, {
    command,
    dir,
    folders,
    mediaSeconds: leadSeconds + secondsOf(grid, frames),
    leadSeconds,
    holds: true,
    viewerWaits,
    ship,
    onProgress: (block) => {
      progress = block;
      tell();
    },
  });
  for (const { shipped } of shippers) checkShortOnes(shipped, grid);
  if (rungs.length > 0) {
    const duration = durationClassOf(secondsOf(grid, grid.totalFrames));
    metrics.encodeSpeed.observe({ duration }, (secondsOf(grid, frames) * 1000) / wallMs);
  }
  return {
    frames: framesOf(shippers),
    damagedFrames: damagedFrames(stderr),
    quality:
      samples.length > 0 ? await compareStored(context, scope, dir, { job, grid, rungs: measured, samples }) : [],
    wallMs,
    peakMemoryKiB,
  };
}

/** Every segment must start where the grid wants it, with a key frame. */
export function onGrid(job: Job, name: string, grid: Grid, firstSegment: number): Stream {
  let runStart: number | undefined;
  return {
    type: 'video',
    name,
    prefix: streamPrefix(job, 'video', name),
    firstSegment,
    prepare(bytes: Buffer, facts: FragmentFacts, { timescale }: InitFacts, segment: number): Buffer {
      const ticks = (frame: number): number => (frame * timescale * grid.fps.den) / grid.fps.num;
      runStart ??= facts.start;
      const expected = runStart + ticks((segment - firstSegment) * grid.segmentFrames);
      const isRight =
        facts.startsWithSync && facts.start === expected && facts.samples <= framesOfSegment(grid, segment);
      if (!isRight) throw new MediaError('VERIFY_FAILED', `${name}: segment ${segment} is off the grid.`);
      return alignFragment(bytes, ticks(segment * grid.segmentFrames), segment + 1);
    },
  };
}

/** Only the last segment may be short: a hole in the middle would shift everything behind it. */
export function checkShortOnes(shipped: readonly ShippedSegment[], grid: Grid): void {
  const short = shipped.slice(0, -1).find(({ segment, samples }) => samples !== framesOfSegment(grid, segment));
  if (short) throw new MediaError('VERIFY_FAILED', `Segment ${short.segment} lacks frames.`);
}

function framesOf(shippers: readonly StreamShipper[]): number {
  const each = shippers.map(({ shipped }) => shipped.reduce((sum, { samples }) => sum + samples, 0));
  if (new Set(each).size > 1) throw new MediaError('VERIFY_FAILED', 'Rungs differ in length.');
  return each[0] ?? 0;
}
