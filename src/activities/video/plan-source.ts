/** What only the source itself can say about its rungs: whether the top one can be copied, and how many bits it needs. */
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import {
  secondsOf,
  type Chunk,
  type Grid,
  type VideoFacts,
  type VideoPlan,
  type VideoRung,
} from '../../contracts/plan.js';
import type { Profile } from '../../contracts/profile.js';
import { adaptRungs, probeChunks, probePlan, type ContentMeasurement } from '../../media/video/content-probe.js';
import { chunkWindow, encodeChunkRun } from '../../media/video/encode-args.js';
import { segmentName } from '../../media/video/layout.js';
import { readFragment } from '../../media/video/mp4.js';
import { IDR_BYTES, isIdr, passThrough, readSourcePicture, type PassThrough } from '../../media/video/passthrough.js';
import { planVideo } from '../../media/video/plan.js';
import type { ActivityContext } from '../context.js';
import { isOutage } from '../failures.js';
import type { ActivityScope } from '../scope.js';
import { readRegularFile } from '../untrusted-file.js';
import { openMovie } from './movie-source.js';
import { runFfmpeg } from './run-ffmpeg.js';
import { withSource } from './with-source.js';

/**
 * The plan of a source by a profile, with all that has to be looked up in the source.
 *
 * @param bytes of the object
 */
export async function planSource(
  context: ActivityContext,
  scope: ActivityScope,
  job: Job,
  { facts, profile, bytes }: { readonly facts: VideoFacts; readonly profile: Profile; readonly bytes: number },
): Promise<VideoPlan> {
  const plan = planVideo(facts, profile);
  const copied = profile.passthrough ? await copyTop(context, scope, job, plan, bytes) : plan;
  return profile.contentAware ? byContent(context, scope, job, copied) : copied;
}

async function copyTop(
  context: ActivityContext,
  { signal, logger }: ActivityScope,
  job: Job,
  plan: VideoPlan,
  bytes: number,
): Promise<VideoPlan> {
  const { facts, grid, watermark } = plan;
  if (!grid || !facts.index || watermark || facts.video?.codec !== 'h264') return plan;
  const { streamIndex } = facts.video;
  const movie = await openMovie(context, job.source, bytes, signal);
  const track = movie?.tracks[streamIndex];
  const moov = movie?.opening.known.find(({ offset }) => offset === movie.moov.from)?.bytes;
  const picture =
    track && moov && readSourcePicture(Buffer.from(moov.buffer, moov.byteOffset, moov.length), streamIndex, track);
  const {
    rungs,
    reason,
    keyFrames = [],
  }: PassThrough = picture ? passThrough(plan.rungs, grid, facts, picture) : { rungs: plan.rungs, reason: 'its index' };
  const looks = await Promise.all(
    keyFrames.map((offset) =>
      context.scratch.sourcePart(job.source, context.store, offset, Math.min(IDR_BYTES, bytes - offset), { signal }),
    ),
  );
  const because = looks.every(isIdr) ? reason : 'its key frames';
  logger.info(because === undefined ? 'top rung is copied' : 'no rung is copied', {
    assetId: job.assetId,
    reason: because,
  });
  return because === undefined ? { ...plan, rungs } : plan;
}

async function byContent(
  context: ActivityContext,
  scope: ActivityScope,
  job: Job,
  plan: VideoPlan,
): Promise<VideoPlan> {
  const { grid } = plan;
  if (!grid) return plan;
  const measurement = await probeContent(context, scope, job, { ...plan, grid });
  scope.logger.info('content measured', { assetId: job.assetId, ...measurement });
  return measurement ? { ...plan, rungs: adaptRungs(plan.rungs, grid, measurement) } : plan;
}

type PlanOnGrid = VideoPlan & { readonly grid: Grid };

/** @returns undefined where no sample can be decoded: then it is encoded without the knowledge */
async function probeContent(
  context: ActivityContext,
  scope: ActivityScope,
  job: Job,
  plan: PlanOnGrid,
): Promise<ContentMeasurement | undefined> {
  let [bits, pixels, peak] = [0, 0, 0];
  for (const chunk of probeChunks(plan.grid, plan.facts.seekable)) {
    try {
      const sample = await probeChunk(context, scope, job, plan, chunk);
      bits += sample.bits;
      pixels += sample.pixels;
      peak = Math.max(peak, sample.bits / sample.pixels);
    } catch (error) {
      if (scope.signal.aborted || !MediaError.is(error) || isOutage(error)) throw error;
      scope.logger.warn('a sample can not be taken', { assetId: job.assetId, chunk, error });
    }
  }
  return pixels > 0 ? { mean: bits / pixels, peak } : undefined;
}

async function probeChunk(
  context: ActivityContext,
  scope: ActivityScope,
  job: Job,
  plan: PlanOnGrid,
  chunk: Chunk,
): Promise<{ readonly bits: number; readonly pixels: number }> {
  const { grid } = plan;
  const probe = probePlan(plan);
  const [rung] = probe.rungs as [VideoRung];
  const { command, frames, folders, leadSeconds } = encodeChunkRun(probe, chunk, { rungs: probe.rungs });
  const run = async (dir: string) => {
    await runFfmpeg(context, scope, {
      command,
      dir,
      folders,
      mediaSeconds: leadSeconds + secondsOf(grid, frames),
      viewerWaits: true,
    });
    const segment = await readRegularFile(join(dir, rung.name, segmentName(chunk.firstSegment)));
    const samples = segment ? readFragment(segment).samples : 0;
    if (!segment || samples === 0) throw new MediaError('DAMAGED_FILE', 'A sample of its picture is empty.');
    return { bits: segment.length * 8, pixels: rung.width * rung.height * samples };
  };
  return withSource(context, scope, job, `sample-${chunk.firstSegment}`, run, chunkWindow(plan, chunk));
}
