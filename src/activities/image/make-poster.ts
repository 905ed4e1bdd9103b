/** Poster pictures of a video, from the frame that a chunk left in the store. */
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import type { Rendition } from '../../contracts/renditions.js';
import { admit } from '../../media/image/limits.js';
import { planPoster } from '../../media/image/plan.js';
import type { ActivityContext } from '../context.js';
import { activity } from '../scope.js';
import { makeVariants } from './make-variants.js';
import { uploadVariants } from './upload-variants.js';

const FRAME = 'frame';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'scratch' | 'tools'>;

export function createMakePoster({ config, logger, store, scratch, tools }: Needs) {
  return activity(logger, async (scope, job: Job, posterKey: string): Promise<Rendition[]> => {
    const { mediaBucket } = config.storage;
    const { signal } = scope;
    const maxBytes = config.limits.maxImageMiB * 1024 ** 2;
    await scratch.ensureRoom();
    const finished = await tools.withImageSlot(
      async (slot) => {
        scope.report({ step: 'download', what: 'poster', percent: 0 });
        await store.download(mediaBucket, posterKey, join(slot.dir, FRAME), { maxBytes, signal });
        scope.report({ step: 'encode', what: 'poster', percent: 30 });
        const header = await slot.inspect(FRAME);
        admit(header, config.limits);
        return makeVariants(slot, FRAME, planPoster(header));
      },
      { signal },
    );
    scope.report({ step: 'upload', what: 'poster', percent: 80 });
    return uploadVariants(store, mediaBucket, job, finished, signal);
  });
}
