/** The last word on an asset that failed or was cancelled. */
import type { EndRequest } from '../../contracts/activities.js';
import type { AssetDocument } from '../../contracts/assets.js';
import { announceState, putDocument } from '../announce.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'catalogue' | 'db' | 'results'>;

export function createRecordEnd({ config, logger, store, catalogue, db, results }: Needs) {
  const record = async (
    { signal, logger: log, info }: ActivityScope,
    { job, kind, state, error, startedAt }: EndRequest,
  ): Promise<void> => {
    const row = await catalogue.find(job.assetId);
    if (row?.generation === job.generation)
      return log.warn(`published already: not ${state}`, { assetId: job.assetId });
    // Its objects are being removed: there is nothing to add to them.
    if (row?.state === 'deleted') return log.info(`deleted: not ${state}`, { assetId: job.assetId });
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
    const writtenFrom = await putDocument({ config, store, db }, job, document, signal);
    // An earlier generation is published still, and what is said of it stays true.
    const about = row?.generation ? undefined : document;
    await announceState({ catalogue, results }, job, {
      to: state,
      by: info.activityType,
      kind,
      error,
      document: about,
      writtenFrom,
    });
    log.info(`asset ${state}`, { assetId: job.assetId, code: error.code, reason: error.message });
  };
  return activity(logger, record, { neverGivesUp: true });
}
