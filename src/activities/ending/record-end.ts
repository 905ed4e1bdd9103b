/** The last word on an asset that failed or was cancelled. */
import type { EndRequest } from '../../contracts/activities.js';
import type { AssetDocument } from '../../contracts/assets.js';
import { announceState, putDocument } from '../announce.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';
import { isPublished } from './is-published.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'catalogue' | 'results'>;

export function createRecordEnd({ config, logger, store, catalogue, results }: Needs) {
  const record = async (
    { signal, logger: log, info }: ActivityScope,
    { job, kind, state, error, startedAt }: EndRequest,
  ): Promise<void> => {
    if (await isPublished(catalogue, job)) return log.warn(`published already: not ${state}`, { assetId: job.assetId });
    const document: AssetDocument = {
      id: job.assetId,
      workflowId: job.workflowId,
      kind,
      state,
      source: job.source,
      renditions: [],
      playback: {},
      error,
      timings: { uploadedAt: job.uploadedAt, startedAt },
    };
    await putDocument({ config, store }, job, document, signal);
    await announceState({ catalogue, results }, job, { to: state, by: info.activityType, kind, error, document });
    log.info(`asset ${state}`, { assetId: job.assetId, code: error.code, reason: error.message });
  };
  return activity(logger, record, { neverGivesUp: true });
}
