/** An animation as a silent video, of the frames that its first step left in the store. */
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { LoopPlan } from '../../contracts/image.js';
import type { Rendition } from '../../contracts/renditions.js';
import {
  findLoopFault,
  loopCommand,
  loopProbe,
  secondsOf,
  type LoopReport,
  type Strip,
} from '../../media/image/loop.js';
import { SOURCE_FILE } from '../../media/video/encode-args.js';
import { judge } from '../../tools/failures.js';
import { IMMUTABLE } from '../cache-control.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';
import { readRegularFile } from '../untrusted-file.js';
import { runFfmpeg } from '../video/run-ffmpeg.js';
import { probeLimits } from '../video/tool-bounds.js';
import { fetchStrip } from './strip.js';
import { imageKey } from './upload-variants.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'scratch' | 'tools'>;

export function createMakeLoop(context: Needs) {
  const { config, logger, store, scratch } = context;
  const bucket = config.storage.mediaBucket;
  return activity(logger, async (scope, job: Job, loop: LoopPlan): Promise<Rendition> => {
    const { signal } = scope;
    const { name, format, width, height } = loop;
    return scratch.withJobDir(`${job.assetId}-${name}`, async (dir) => {
      scope.report({ step: 'download', what: name, percent: 0 });
      const strip = await fetchStrip({ store, bucket, job }, join(dir, SOURCE_FILE), signal);
      const seconds = secondsOf(strip);
      scope.report({ step: 'encode', what: name, percent: 10 });
      await runFfmpeg(context, scope, {
        command: loopCommand(loop, SOURCE_FILE, strip),
        dir,
        mediaSeconds: seconds,
        onProgress: ({ outTime }) =>
          scope.report({ step: 'encode', what: name, percent: Math.min(90, 10 + (outTime / seconds) * 80) }),
      });
      scope.report({ step: 'verify', what: name, percent: 90 });
      await verify(context, scope, dir, loop, strip);
      const bytes = await readRegularFile(join(dir, name));
      if (!bytes) throw new MediaError('VERIFY_FAILED', `${name}: it is missing.`);
      const key = imageKey(job, name);
      const mime = `video/${format}`;
      await store.putBytes(bucket, key, bytes, { contentType: mime, cacheControl: IMMUTABLE, signal });
      const bitrate = Math.round((bytes.length * 8) / seconds);
      return { name, type: 'loop', key, mime, width, height, bitrate, bytes: bytes.length, duration: seconds };
    });
  });
}

/** @throws MediaError VERIFY_FAILED */
async function verify(
  { config, tools }: Pick<Needs, 'config' | 'tools'>,
  { signal }: Pick<ActivityScope, 'signal'>,
  dir: string,
  loop: LoopPlan,
  strip: Strip,
): Promise<void> {
  const args = loopProbe(loop, loop.name);
  const limits = probeLimits(config);
  const { stdout } = await tools.ffprobe({ args, scratch: dir, limits, signal }).catch((error: unknown) => {
    throw signal.aborted ? error : judge(error);
  });
  const fault = findLoopFault(JSON.parse(stdout) as LoopReport, loop, strip);
  if (fault) throw new MediaError('VERIFY_FAILED', `${loop.name}: ${fault}.`);
}
