/** The moment from which an asset can be watched, though most of it is not made yet. */
import type { Job, MediaKind } from '../contracts/assets.js';
import { announceState } from './announce.js';
import type { ActivityContext } from './context.js';
import { activity } from './scope.js';

type Needs = Pick<ActivityContext, 'logger' | 'catalogue' | 'results'>;

export function createAnnouncePlayable(context: Needs) {
  return activity(context.logger, async ({ info, logger }, job: Job, kind: MediaKind): Promise<void> => {
    const accepted = await announceState(context, job, { to: 'playable', by: info.activityType, kind });
    if (accepted) logger.info('asset playable', { assetId: job.assetId });
  });
}
