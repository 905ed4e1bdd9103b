/** Reads samples back from the store and compares them with what their encoder got. */
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import {
  secondsOf,
  type Chunk,
  type Grid,
  type RungQuality,
  type VideoPlan,
  type VideoRung,
} from '../../contracts/plan.js';
import type { FfmpegCommand } from '../../media/ffmpeg-command.js';
import { chunkWindow, encodeChunkRun, referenceFile, SOURCE_FILE } from '../../media/video/encode-args.js';
import { INIT_FILE, segmentName, streamPrefix } from '../../media/video/layout.js';
import {
  COMPARE_FOLDERS,
  compareCommand,
  framesOfSamples,
  logFile,
  lowestSsim,
  referenceBytes,
  samplesOf,
  storedFile,
  withReference,
  type Sample,
} from '../../media/video/quality.js';
import { ffmpegArguments } from '../../tools/ffmpeg/command.js';
import { judge, judgeEnd } from '../../tools/failures.js';
import { ToolError } from '../../tools/tool-error.js';
import type { ActivityContext } from '../context.js';
import type { ActivityScope } from '../scope.js';
import { readRegularFile } from '../untrusted-file.js';
import { encodeLimits } from './tool-bounds.js';
import { copyWatermark } from './watermark.js';
import { withSource } from './with-source.js';

type Needs = Pick<ActivityContext, 'config' | 'store' | 'tools'>;
type Scope = Pick<ActivityScope, 'signal'>;

export interface Compared {
  readonly job: Job;
  readonly grid: Grid;
  readonly rungs: readonly VideoRung[];
  readonly samples: readonly Sample[];
}

/**
 * The lowest sampled SSIM of what the store holds of a chunk, against the source. Decodes the source itself: for
 * one look at one chunk; an encode brings its references along.
 *
 * @param rungs names. Those of which the store lacks the sampled segments are not in the result
 */
export async function measureQuality(
  context: Needs & Pick<ActivityContext, 'scratch' | 'profiles'>,
  scope: Pick<ActivityScope, 'signal' | 'report' | 'logger'>,
  job: Job,
  plan: VideoPlan,
  chunk: Chunk,
  rungs: readonly string[],
): Promise<RungQuality[]> {
  const { grid, facts } = plan;
  if (!grid || !facts.video) throw new TypeError('only a picture can be compared');
  const measured = plan.rungs.filter(({ name }) => rungs.includes(name));
  const samples = samplesOf(grid, chunk);
  const references = { sizes: measured, frames: framesOfSamples(grid, samples) };
  const measure = async (dir: string): Promise<RungQuality[]> => {
    await copyWatermark(context, plan, dir);
    const { command, folders, leadSeconds, frames } = encodeChunkRun(plan, chunk, { rungs: [], references });
    for (const folder of folders) await mkdir(join(dir, folder), { recursive: true });
    await runQuietly(context, scope, dir, command, leadSeconds + secondsOf(grid, frames)).catch((error: unknown) => {
      throw judge(error);
    });
    return compareStored(context, scope, dir, { job, grid, rungs: measured, samples });
  };
  return withSource(
    context,
    scope,
    job,
    `quality-${chunk.firstSegment}`,
    measure,
    chunkWindow({ ...plan, grid }, chunk),
  );
}

/** References for the samples, as far as the source went, must lie in `dir`; they are gone afterwards. */
export async function compareStored(
  context: Needs,
  scope: Scope,
  dir: string,
  { job, grid, rungs, samples }: Compared,
): Promise<RungQuality[]> {
  for (const folder of COMPARE_FOLDERS) await mkdir(join(dir, folder), { recursive: true });
  const qualities = await Promise.all(
    rungs.map(async (rung) => {
      const there = withReference(
        samples,
        Math.floor((await sizeOf(join(dir, referenceFile(rung)))) / referenceBytes(rung)),
      );
      if (there.length === 0 || !(await fetchSegments(context, scope, dir, job, rung, there))) return [];
      return [{ name: rung.name, ssim: await ssimOf(context, scope, dir, rung, grid, there) }];
    }),
  );
  for (const rung of rungs) await rm(join(dir, referenceFile(rung)), { force: true });
  return qualities.flat();
}

async function ssimOf(
  context: Needs,
  scope: Scope,
  dir: string,
  rung: VideoRung,
  grid: Grid,
  samples: readonly Sample[],
): Promise<number> {
  const frames = samples.reduce((sum, { count }) => sum + count, 0);
  const seconds = secondsOf(grid, grid.segmentFrames * samples.length);
  try {
    await runQuietly(context, scope, dir, compareCommand(rung, grid, samples), seconds);
  } catch (error) {
    // What can't be decoded resembles nothing.
    if (ToolError.is(error) && judgeEnd(error) === null) return 0;
    throw error;
  }
  const log = await readRegularFile(join(dir, logFile(rung)));
  return lowestSsim(log?.toString() ?? '', frames);
}

/** @returns false when the store lacks one of them: that is for others to find */
async function fetchSegments(
  { config, store }: Needs,
  { signal }: Scope,
  dir: string,
  job: Job,
  rung: VideoRung,
  samples: readonly Sample[],
): Promise<boolean> {
  const bucket = config.storage.mediaBucket;
  const prefix = streamPrefix(job, 'video', rung.name);
  try {
    const init = await store.read(bucket, prefix + INIT_FILE, { signal });
    for (const segment of new Set(samples.map((sample) => sample.segment))) {
      const media = await store.read(bucket, prefix + segmentName(segment), { signal });
      await writeFile(join(dir, storedFile(rung, segment)), Buffer.concat([init, media]));
    }
    return true;
  } catch (error) {
    if (MediaError.is(error) && error.code === 'OBJECT_MISSING') return false;
    throw error;
  }
}

function runQuietly(
  { config, tools }: Needs,
  { signal }: Scope,
  dir: string,
  command: FfmpegCommand,
  mediaSeconds: number,
): Promise<unknown> {
  return tools.ffmpeg({
    args: ffmpegArguments(command),
    scratch: dir,
    readOnlyFiles: [SOURCE_FILE],
    limits: encodeLimits(config, mediaSeconds),
    stallSeconds: config.limits.stallSeconds + mediaSeconds,
    niceness: config.workers.bulkNiceness,
    signal,
  });
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!file) return 0;
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
