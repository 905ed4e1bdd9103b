/** What a repair starts from: how a published asset was planned and made. */
import type { Made, RepairRequest, StoredPlan } from '../contracts/activities.js';
import type { Job } from '../contracts/assets.js';
import { MediaError } from '../contracts/errors.js';
import type { VideoPlan } from '../contracts/plan.js';
import { madeKey, planKey } from '../media/video/layout.js';
import type { ActivityContext } from './context.js';
import { isPublished } from './ending/is-published.js';
import { activity } from './scope.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'catalogue'>;

export function createLoadPlan({ config, logger, store, catalogue }: Needs) {
  const bucket = config.storage.mediaBucket;
  return activity(
    logger,
    async ({ signal }, asset: Pick<RepairRequest, 'assetId' | 'generation'>): Promise<StoredPlan> => {
      if (!(await isPublished(catalogue, asset))) throw new MediaError('OBJECT_GONE', 'This version is not published.');
      const read = async (key: string): Promise<unknown> =>
        JSON.parse((await store.read(bucket, key, { signal })).toString('utf8'));
      const { job, plan } = (await read(planKey(asset))) as { job: Job; plan: VideoPlan };
      const { startedAt, made } = (await read(madeKey(asset))) as { startedAt: string; made: Made };
      return { job, plan, startedAt, made };
    },
  );
}
