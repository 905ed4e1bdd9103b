/** Compensation: nothing of an unpublished generation stays behind. */
import { outputPrefix, type Job } from '../../contracts/assets.js';
import type { ActivityContext } from '../context.js';
import { activity } from '../scope.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store'>;

export function createDiscardOutputs({ config, logger, store }: Needs) {
  return activity(logger, async ({ logger: log }, job: Job) => {
    const removed = await store.removePrefix(config.storage.mediaBucket, outputPrefix(job.assetId, job.generation));
    log.info('outputs discarded', { assetId: job.assetId, objects: removed });
  });
}
