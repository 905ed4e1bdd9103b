/** Poster pictures of a video: the best of the frames that its chunks left in the store. */
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { VideoPlan } from '../../contracts/plan.js';
import type { Rendition } from '../../contracts/renditions.js';
import { admit, type ImageLimits } from '../../media/image/limits.js';
import { planPoster } from '../../media/image/plan.js';
import { choosePoster } from '../../media/image/poster-choice.js';
import { posterFrameKey, posterFramesPrefix, tileKey, tilesPrefix } from '../../media/video/layout.js';
import type { ObjectStore } from '../../storage/object-store.js';
import type { ImageSlot } from '../../tools/tools.js';
import type { ActivityContext } from '../context.js';
import { activity } from '../scope.js';
import { keysBelow } from './keys-below.js';
import { makeVariants } from './make-variants.js';
import { uploadVariants } from './upload-variants.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'scratch' | 'tools'>;

export function createMakePoster({ config, logger, store, scratch, tools }: Needs) {
  return activity(logger, async (scope, job: Job, plan: VideoPlan): Promise<Rendition[]> => {
    const { mediaBucket } = config.storage;
    const { signal } = scope;
    const maxBytes = config.limits.maxImageMiB * 1024 ** 2;
    const keys = await candidateKeys(store, mediaBucket, job, plan, signal);
    await scratch.ensureRoom();
    const { finished, traits } = await tools.withImageSlot(
      async (slot) => {
        scope.report({ step: 'download', what: 'poster', percent: 0 });
        const frames = await Promise.all(
          keys.map(async (key, i) => {
            const file = `frame-${i}`;
            await store.download(mediaBucket, key, join(slot.dir, file), { maxBytes, signal });
            return file;
          }),
        );
        scope.report({ step: 'encode', what: 'poster', percent: 30 });
        const { file, header } = await best(slot, frames, config.limits);
        return makeVariants(slot, file, planPoster(header));
      },
      { signal },
    );
    scope.report({ step: 'upload', what: 'poster', percent: 80 });
    const pictures = await uploadVariants({ store, bucket: mediaBucket, job }, finished, signal);
    return pictures.map((picture) => ({ ...picture, thumbHash: traits.thumbHash }));
  });
}

/** @returns at least one, in order of time */
async function candidateKeys(
  store: ObjectStore,
  bucket: string,
  job: Job,
  { stills }: VideoPlan,
  signal: AbortSignal,
): Promise<string[]> {
  const there = await keysBelow(store, bucket, posterFramesPrefix(job), signal);
  const keys = stills.posterFrames.map((frame) => posterFrameKey(job, frame)).filter((key) => there.has(key));
  if (keys.length > 0) return keys;
  // The source ended before the first candidate: its first tile is all that there is to see.
  const first = tileKey(job, 0);
  const tiles = await keysBelow(store, bucket, tilesPrefix(job), signal);
  if (tiles.has(first)) return [first];
  throw new MediaError('VERIFY_FAILED', 'No frame for the poster was kept.');
}

async function best(slot: ImageSlot, files: readonly string[], limits: ImageLimits) {
  const looks = [];
  for (const file of files) {
    admit(await slot.inspect(file), limits);
    if (files.length > 1) looks.push(await slot.look(file));
  }
  const file = files[files.length > 1 ? choosePoster(looks) : 0]!;
  return { file, header: await slot.inspect(file) };
}
