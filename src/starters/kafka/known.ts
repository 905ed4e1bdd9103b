/** What the catalogue knows of an object before an event is believed. */
import { findUploadAt, settleUpload, type UploadRow } from '../../catalogue/uploads.js';
import { createCatalogueOn } from '../../catalogue/postgres.js';
import type { Database } from '../../catalogue/database.js';
import type { Config } from '../../config/schema.js';
import { FINAL_STATES, type Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { UploadEvent } from '../../contracts/events.js';
import { apiPrefixOf } from '../../contracts/uploads.js';
import { checkObject } from '../../storage/check-object.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { admit, type Admission } from './admit.js';

export interface KnownPorts {
  readonly db: Database;
  readonly store: ObjectStore;
  readonly config: Pick<Config, 'starter' | 'storage'>;
}

/**
 * From an event to a job, with the catalogue's word: an asset that has ended or was deleted is not begun again by a late
 * event, and below `api/` the upload's row decides everything.
 *
 * @throws MediaError STORE_UNAVAILABLE, CATALOGUE_UNAVAILABLE, which say nothing about the event: try again later
 */
export async function admitKnown(ports: KnownPorts, upload: UploadEvent): Promise<Admission> {
  const { uploadsBucket, uploadsPrefix } = ports.config.storage;
  if (upload.bucket === uploadsBucket && upload.key.startsWith(apiPrefixOf(uploadsPrefix))) {
    return admitUpload(ports, upload);
  }
  const admission = await admit(upload, ports.store, ports.config.starter);
  if (admission.outcome !== 'admitted') return admission;
  const row = await createCatalogueOn(ports.db).find(admission.job.assetId);
  return row && FINAL_STATES.includes(row.state) ? dropped(`the asset is ${row.state}`) : admission;
}

async function admitUpload(ports: KnownPorts, { bucket, key }: UploadEvent): Promise<Admission> {
  const upload = await findUploadAt(ports.db, bucket, key);
  if (!upload) return dropped('no upload has this key');
  if (upload.state === 'complete') return admitAsset(ports, upload);
  if (upload.state !== 'open') return dropped(`the upload is ${upload.state}`);
  // Of `put` nobody else may ever come to say that it is there. Whoever writes the others for the uploader completes
  // them, and tells of it in an event of its own.
  return upload.kind === 'put' ? endPut(ports, upload) : dropped('the upload is under way');
}

async function admitAsset({ db }: KnownPorts, upload: UploadRow): Promise<Admission> {
  const row = await createCatalogueOn(db).find(upload.assetId!);
  if (!row?.job) return dropped('its asset has no job');
  return FINAL_STATES.includes(row.state) ? dropped(`the asset is ${row.state}`) : admitted(row.job, upload);
}

async function endPut({ db, store }: KnownPorts, upload: UploadRow): Promise<Admission> {
  const { id, bucket, key } = upload;
  try {
    const checked = await checkObject(store, bucket, key, upload);
    const settled = await settleUpload(db, id, checked);
    if (!checked.ok) await store.remove(bucket, [key]);
    if (settled.outcome === 'complete') return admitted(settled.job, upload);
    return dropped(checked.ok ? `the upload is ${settled.state}` : checked.problem);
  } catch (error) {
    if (MediaError.is(error) && (error.code === 'OBJECT_MISSING' || error.code === 'OBJECT_GONE')) {
      return dropped('the object is gone');
    }
    throw error;
  }
}

const admitted = (job: Job, { contentType, fileName }: UploadRow): Admission => ({
  outcome: 'admitted',
  job,
  contentType: contentType ?? undefined,
  fileName: fileName ?? undefined,
});

const dropped = (reason: string): Admission => ({ outcome: 'dropped', reason });
