/** Encodes all rungs of one chunk; what the store already has is not made again. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { Chunk, ChunkResult, Grid, VideoPlan, VideoRung } from '../../contracts/plan.js';
import { encodedRung, firstMissing, framesOfChunk, type SegmentFacts } from '../../media/video/chunk-result.js';
import { damagedFrames } from '../../media/video/damage.js';
import { encodeChunkRun, INIT_FILE, POSTER_FILE, segmentName, segmentOf } from '../../media/video/encode-args.js';
import { toNumber } from '../../media/video/frame-rate.js';
import { posterSourceKey, streamPrefix } from '../../media/video/layout.js';
import { alignFragment, readFragment, readInit, type FragmentFacts, type InitFacts } from '../../media/video/mp4.js';
import { framesOfSegment } from '../../media/video/plan.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';
import { readRegularFile } from '../untrusted-file.js';
import { runEncode } from './run-encode.js';
import { StreamShipper, type Stream } from './shipper.js';
import { withSource } from './with-source.js';

type Segments = ReadonlyMap<number, { readonly bytes: number }>;

export function createEncodeChunk(context: ActivityContext) {
  const { config, logger } = context;
  const bucket = config.storage.mediaBucket;

  return activity(
    logger,
    async (scope, job: Job, plan: VideoPlan, chunk: Chunk, rungs: readonly VideoRung[]): Promise<ChunkResult> => {
      const { grid } = plan;
      if (!grid) throw new TypeError('a chunk needs a grid');
      const streams = await Promise.all(rungs.map((rung) => findFinished(context, scope.signal, job, chunk, rung)));
      const posterKey = chunk.posterFrame === undefined ? undefined : posterSourceKey(job);
      const posterMissing = posterKey !== undefined && !(await exists(context, posterKey, scope.signal));

      const missing = firstMissing(
        chunk,
        streams.map(({ segments }) => new Set(segments.keys())),
      );
      const posterSegment = posterMissing ? Math.floor(chunk.posterFrame! / grid.segmentFrames) : Infinity;
      const startSegment = Math.min(missing, posterSegment);
      const run = { job, plan, grid, chunk, rungs, startSegment, posterKey: posterMissing ? posterKey : undefined };
      const nothingToDo = startSegment >= chunk.firstSegment + chunk.segments;
      const made = nothingToDo ? undefined : await encode(context, scope, run);

      const renditions = await Promise.all(
        streams.map(async ({ rung, prefix, segments }, index) => {
          const shipped = made?.shippers[index]?.shipped ?? [];
          const kept = await keptSegments(context, scope.signal, {
            grid,
            prefix,
            segments,
            before: startSegment,
            isLast: shipped.length === 0,
          });
          const init =
            made?.shippers[index]?.init ??
            (kept.length > 0 ? readInit(await context.store.read(bucket, prefix + INIT_FILE)) : undefined);
          return encodedRung(rung.name, init?.codecs ?? '', [...kept, ...shipped], grid);
        }),
      );
      if (new Set(renditions.map(({ units }) => units)).size > 1)
        throw new MediaError('VERIFY_FAILED', 'Rungs differ in length.');
      const frames = renditions[0]?.units ?? 0;
      if (frames === 0 && chunk.firstSegment === 0) throw new MediaError('DAMAGED_FILE', 'No frame could be decoded.');
      const endedEarly = frames < framesOfChunk(grid, chunk);
      scope.logger.info('chunk encoded', {
        assetId: job.assetId,
        chunk: chunk.index,
        startSegment,
        frames,
        endedEarly,
        tool: made?.measured,
      });
      const posterDone = posterKey !== undefined && (!posterMissing || made?.hasPoster === true);
      return {
        index: chunk.index,
        renditions,
        endedEarly,
        damagedFrames: made?.damaged ?? 0,
        posterKey: posterDone ? posterKey : undefined,
      };
    },
  );
}

interface Run {
  readonly job: Job;
  readonly plan: VideoPlan;
  readonly grid: Grid;
  readonly chunk: Chunk;
  readonly rungs: readonly VideoRung[];
  readonly startSegment: number;
  /** Set when the poster frame must be made. */
  readonly posterKey: string | undefined;
}

async function encode(
  context: ActivityContext,
  scope: ActivityScope,
  { job, plan, grid, chunk, rungs, startSegment, posterKey }: Run,
) {
  const { config, store } = context;
  const to = { store, bucket: config.storage.mediaBucket };
  return withSource(context, scope, job, `chunk-${chunk.index}`, async (dir) => {
    const { command, frames, leadSeconds } = encodeChunkRun(plan, chunk, rungs, {
      startSegment,
      poster: posterKey !== undefined,
    });
    const shippers = rungs.map((rung) => new StreamShipper(dir, onGrid(job, rung.name, grid, startSegment), to));
    const before = framesOfChunk(grid, chunk) - frames;
    let hasPoster = false;
    let progress = { frame: 0, speed: 0 };
    const tell = (): void =>
      scope.report({
        step: 'encode',
        what: `chunk ${chunk.index}`,
        percent: Math.min(100, ((before + progress.frame) / (before + frames)) * 100),
        segmentsDone: startSegment - chunk.firstSegment + Math.min(...shippers.map(({ shipped }) => shipped.length)),
        frames: progress.frame,
        speed: progress.speed,
      });
    const ship = async (signal: AbortSignal): Promise<void> => {
      await Promise.all(shippers.map((shipper) => shipper.ship(signal)));
      hasPoster ||= posterKey !== undefined && (await shipPoster(join(dir, POSTER_FILE), posterKey, to, signal));
      tell();
    };
    tell();
    const { stderr, wallMs, peakMemoryKiB } = await runEncode(context, scope, {
      command,
      dir,
      folders: rungs.map(({ name }) => name),
      mediaSeconds: leadSeconds + frames / toNumber(grid.fps),
      leadSeconds,
      ship,
      onProgress: (block) => {
        progress = block;
        tell();
      },
    });
    for (const { shipped } of shippers) checkShortOnes(shipped, grid);
    return { shippers, hasPoster, damaged: damagedFrames(stderr), measured: { wallMs, peakMemoryKiB } };
  });
}

/** Every segment must start where the grid wants it, with a key frame. */
function onGrid(job: Job, name: string, grid: Grid, firstSegment: number): Stream {
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
function checkShortOnes(shipped: readonly SegmentFacts[], grid: Grid): void {
  const short = shipped.slice(0, -1).find(({ segment, samples }) => samples !== framesOfSegment(grid, segment));
  if (short) throw new MediaError('VERIFY_FAILED', `Segment ${short.segment} lacks frames.`);
}

async function findFinished(
  { config, store }: ActivityContext,
  signal: AbortSignal,
  job: Job,
  chunk: Chunk,
  rung: VideoRung,
) {
  const prefix = streamPrefix(job, 'video', rung.name);
  const segments = new Map<number, { bytes: number }>();
  for await (const { key, bytes } of store.list(config.storage.mediaBucket, prefix, { signal })) {
    const segment = segmentOf(key.slice(prefix.length));
    const isOurs =
      segment !== undefined && segment >= chunk.firstSegment && segment < chunk.firstSegment + chunk.segments;
    if (isOurs && bytes > 0) segments.set(segment, { bytes });
  }
  return { rung, prefix, segments };
}

interface Kept {
  readonly grid: Grid;
  readonly prefix: string;
  readonly segments: Segments;
  /** This attempt made everything from here on. */
  readonly before: number;
  /** The last kept one is the end of the chunk, and may be short. */
  readonly isLast: boolean;
}

/** What attempts before this one left: checked then, so full by their place on the grid; only the very last is looked at. */
async function keptSegments(
  { config, store }: ActivityContext,
  signal: AbortSignal,
  { grid, prefix, segments, before, isLast }: Kept,
): Promise<SegmentFacts[]> {
  const numbers = [...segments.keys()].filter((segment) => segment < before).sort((a, b) => a - b);
  return Promise.all(
    numbers.map(async (segment, index) => {
      const { bytes } = segments.get(segment)!;
      if (!isLast || index < numbers.length - 1) return { segment, bytes, samples: framesOfSegment(grid, segment) };
      const last = await store.read(config.storage.mediaBucket, prefix + segmentName(segment), { signal });
      return { segment, bytes, samples: readFragment(last).samples };
    }),
  );
}

async function shipPoster(
  path: string,
  key: string,
  { store, bucket }: { store: ActivityContext['store']; bucket: string },
  signal: AbortSignal,
): Promise<boolean> {
  const bytes = await readRegularFile(path);
  if (!bytes) return false;
  await store.putBytes(bucket, key, bytes, { contentType: 'image/png', signal });
  await rm(path);
  return true;
}

async function exists({ config, store }: ActivityContext, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await store.stat(config.storage.mediaBucket, key, { signal });
    return true;
  } catch (error) {
    if (MediaError.is(error) && error.code === 'OBJECT_MISSING') return false;
    throw error;
  }
}
