/** Uploads through the API that are over, though nobody said so. */
import { closeUpload, expiredUploads, findUpload, settleUpload, type UploadRow } from '../../catalogue/uploads.js';
import { silentUploads } from '../../catalogue/strays.js';
import { MediaError } from '../../contracts/errors.js';
import type { Counts } from '../../contracts/lifecycle.js';
import { stagingPrefixOf } from '../../contracts/uploads.js';
import { checkObject } from '../../storage/check-object.js';
import type { ActivityContext } from '../context.js';
import { activity, assertAlive, type ActivityScope } from '../scope.js';
import { removeBelow } from '../lifecycle/remove-below.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'db'>;

const PAGE = 200;
/** The store's own word of what others wrote comes within moments, unless it was lost. */
const SILENCE_SECONDS = 300;

export function createSweepUploads(context: Needs) {
  return activity(context.logger, async (scope): Promise<Counts> => {
    const { db } = context;
    let [completed, expired, failed] = [0, 0, 0];
    const end = async (upload: UploadRow, isOver: boolean): Promise<void> => {
      assertAlive();
      const outcome = await endUpload(context, scope, upload, isOver);
      if (outcome === 'complete') completed += 1;
      if (outcome === 'failed') failed += 1;
      if (outcome === 'expired') expired += 1;
    };
    for (let after = ''; ;) {
      const ids = await silentUploads(db, SILENCE_SECONDS, after, PAGE);
      for (const id of ids) {
        const upload = await findUpload(db, id);
        if (upload) await end(upload, false);
      }
      if (ids.length < PAGE) break;
      after = ids.at(-1)!;
    }
    for (;;) {
      const uploads = await expiredUploads(db, PAGE);
      for (const upload of uploads) await end(upload, true);
      if (uploads.length < PAGE) return { completed, expired, failed };
    }
  });
}

type Outcome = 'complete' | 'failed' | 'expired' | 'open';

async function endUpload(context: Needs, scope: ActivityScope, upload: UploadRow, isOver: boolean): Promise<Outcome> {
  const { db, store } = context;
  const { id, kind, bucket, key } = upload;
  try {
    if (kind === 'put' || kind === 'multipart') {
      const checked = await checkObject(store, bucket, key, upload, scope.signal);
      const settled = await settleUpload(db, id, checked);
      if (settled.outcome === 'complete') return 'complete';
      await discard(context, scope, upload);
      return 'failed';
    }
  } catch (error) {
    if (!MediaError.is(error) || error.code !== 'OBJECT_MISSING') throw error;
  }
  if (!isOver) return 'open';
  // Whoever ends it in this very moment was first.
  if (!(await closeUpload(db, id, 'expired'))) return 'open';
  await discard(context, scope, upload);
  scope.logger.info('upload expired', { uploadId: id, tenant: upload.tenant, kind });
  return 'expired';
}

/** Nothing of an upload that ended badly stays in the store. */
async function discard(
  { config, store }: Needs,
  { signal }: Pick<ActivityScope, 'signal'>,
  { id, bucket, key }: UploadRow,
): Promise<void> {
  await store.parts.abortAll(bucket, key);
  const versions = [];
  for await (const version of store.listVersions(bucket, key, { signal }))
    if (version.key === key) versions.push(version);
  if (versions.length > 0) await store.removeVersions(bucket, versions);
  try {
    await removeBelow({ store, bucket: config.storage.stagingBucket, signal }, stagingPrefixOf(id));
  } catch (error) {
    // Where nobody ever resumed an upload, there is no such bucket.
    if (!MediaError.is(error) || error.code !== 'OBJECT_MISSING') throw error;
  }
}
