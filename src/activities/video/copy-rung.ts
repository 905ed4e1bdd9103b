/** Makes a whole rung of the source's own frames: cut into segments on the grid, nothing encoded. */
import type { Job } from '../../contracts/assets.js';
import type { CopyResult } from '../../contracts/activities.js';
import { ERRORS, MediaError } from '../../contracts/errors.js';
import {
  secondsOf,
  segmentCount,
  type ChunkResult,
  type Grid,
  type VideoPlan,
  type VideoRung,
} from '../../contracts/plan.js';
import { streamPrefix } from '../../media/video/layout.js';
import { copyRungCommand, encodedInstead, startsWithIdr } from '../../media/video/passthrough.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';
import { checkShortOnes, onGrid } from './encode-part.js';
import { findPresent } from './present.js';
import { storePlan } from './store-plan.js';
import { runEncode } from './run-encode.js';
import { StreamShipper, type Stream } from './shipper.js';
import { withSource } from './with-source.js';

/** What is there already stays: the whole source is read again, which is quick, and the first writer wins. */
export function createCopyRung(context: ActivityContext) {
  return activity(context.logger, async (scope, job: Job, plan: VideoPlan, name: string): Promise<CopyResult> => {
    const { grid } = plan;
    const rung = plan.rungs.find((one) => one.name === name);
    if (!grid || !rung?.passthrough) throw new TypeError(`${name} is no rung to copy`);
    const whole: ChunkResult = { frames: grid.totalFrames, endedEarly: false, damagedFrames: 0, quality: [] };
    try {
      await copy(context, scope, job, { ...plan, grid }, rung);
      return whole;
    } catch (error) {
      const instead = encodedInstead(rung);
      if (scope.signal.aborted || !MediaError.is(error) || ERRORS[error.code].attempts === Infinity || !instead)
        throw error;
      scope.logger.warn('a rung can not be copied: it is encoded', { assetId: job.assetId, rung: name, error });
      await context.store.removePrefix(context.config.storage.mediaBucket, streamPrefix(job, 'video', name));
      const rungs = plan.rungs.map((other) => (other.name === name ? instead : other));
      await storePlan(context, job, { ...plan, rungs }, scope.signal);
      return { ...whole, instead };
    }
  });
}

async function copy(
  context: ActivityContext,
  scope: ActivityScope,
  job: Job,
  plan: VideoPlan & { readonly grid: Grid },
  rung: VideoRung,
): Promise<void> {
  const { config, store } = context;
  const { grid } = plan;
  const { name } = rung;
  const chunk = { firstSegment: 0, segments: segmentCount(grid) };
  const present = await findPresent(context, scope.signal, job, plan, { chunk, rungs: [rung], stills: false });
  if (present.firstMissing === chunk.segments) return;
  await withSource(context, scope, job, `copy-${name}`, async (dir) => {
    const started = performance.now();
    const stream = beginsAlone(onGrid(job, name, grid, 0));
    const shipper = new StreamShipper(dir, stream, { store, bucket: config.storage.mediaBucket });
    const tell = (): void => {
      const segmentsDone = shipper.shipped.length;
      scope.report({ step: 'encode', what: name, percent: (segmentsDone / chunk.segments) * 100, segmentsDone });
    };
    tell();
    const { wallMs } = await runEncode(context, scope, {
      command: copyRungCommand(plan, rung),
      dir,
      folders: [name],
      mediaSeconds: secondsOf(grid, grid.totalFrames),
      leadSeconds: 0,
      ship: async (signal) => {
        await shipper.ship(signal);
        tell();
      },
      onProgress: tell,
    });
    checkShortOnes(shipper.shipped, grid);
    const frames = shipper.shipped.reduce((sum, { samples }) => sum + samples, 0);
    if (frames !== grid.totalFrames)
      throw new MediaError('VERIFY_FAILED', `${name} has ${frames} of ${grid.totalFrames} frames.`);
    const tool = { wallMs, copyMs: Math.round(performance.now() - started) };
    scope.logger.info('rung copied', { assetId: job.assetId, rung: name, frames, tool });
  });
}

const beginsAlone = (stream: Stream): Stream => ({
  ...stream,
  prepare(bytes, facts, init, segment) {
    if (!startsWithIdr(bytes)) throw new MediaError('VERIFY_FAILED', `Segment ${segment} can not be decoded alone.`);
    return stream.prepare(bytes, facts, init, segment);
  },
});
