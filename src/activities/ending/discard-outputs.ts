/** Compensation: nothing of an unpublished generation stays behind. */
import { outputPrefix, type Job } from '../../contracts/assets.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';
import { isPublished } from './is-published.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'catalogue'>;

export function createDiscardOutputs({ config, logger, store, catalogue }: Needs) {
  const discard = async ({ logger: log }: ActivityScope, job: Job): Promise<void> => {
    if (await isPublished(catalogue, job))
      return log.warn('published already: nothing is discarded', { assetId: job.assetId });
    const removed = await store.removePrefix(config.storage.mediaBucket, outputPrefix(job.assetId, job.generation));
    log.info('outputs discarded', { assetId: job.assetId, objects: removed });
  };
  return activity(logger, discard, { neverGivesUp: true });
}
