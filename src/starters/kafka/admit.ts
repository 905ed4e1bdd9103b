/** From an event to a job: the store is asked what the object is, the event only what it should be called. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Config } from '../../config/schema.js';
import type { Job, Priority, SourceRef } from '../../contracts/assets.js';
import { problemOfWishes, type DeadlineWishes } from '../../contracts/deadlines.js';
import { MediaError } from '../../contracts/errors.js';
import type { Refusal, UploadEvent } from '../../contracts/events.js';
import { hintsOfMetadata } from '../../contracts/object-hints.js';
import { assetIdOf, workflowIdOf } from '../../contracts/ids.js';
import type { ObjectStat, ObjectStore } from '../../storage/object-store.js';

export type Admission =
  | {
      readonly outcome: 'admitted';
      readonly job: Job;
      readonly contentType: string | undefined;
      /** What the uploader calls it, where its key does not say. */
      readonly fileName?: string | undefined;
    }
  /** A good event of which nothing is to be made. */
  | { readonly outcome: 'dropped'; readonly reason: string }
  | { readonly outcome: 'refused'; readonly reason: Refusal; readonly detail: string };

/** Producers of the short form may be quicker than the store's own write. Milliseconds. */
const MISSING_RETRIES = [250, 750];
const DEFAULT_PRIORITY: Priority = 3;

/** @throws MediaError STORE_UNAVAILABLE, which says nothing about the event: try again later. */
export async function admit(upload: UploadEvent, store: ObjectStore, defaults: Config['starter']): Promise<Admission> {
  const versionId = versionOf(upload.versionId);
  try {
    return jobOf(upload, await statPatiently(store, upload, versionId), versionId, defaults);
  } catch (error) {
    if (MediaError.is(error) && (error.code === 'OBJECT_MISSING' || error.code === 'OBJECT_KEY_INVALID')) {
      return { outcome: 'refused', reason: error.code, detail: '' };
    }
    throw error;
  }
}

async function statPatiently(
  store: ObjectStore,
  upload: UploadEvent,
  versionId: string | undefined,
): Promise<ObjectStat> {
  for (const delay of MISSING_RETRIES) {
    try {
      return await store.stat(upload.bucket, upload.key, { versionId });
    } catch (error) {
      if (!MediaError.is(error) || error.code !== 'OBJECT_MISSING') throw error;
      await sleep(delay);
    }
  }
  return store.stat(upload.bucket, upload.key, { versionId });
}

/**
 * Identity is what the store says now: an event for a key that has been overwritten since names bytes
 * that are gone, and leads to the same job as the event of the overwriting.
 */
export function jobOf(
  upload: UploadEvent,
  stat: ObjectStat,
  versionId: string | undefined,
  defaults: Pick<Config['starter'], 'tenant' | 'profile'>,
): Admission {
  const own = hintsOfMetadata(stat.metadata);
  if (!own.ok) return { outcome: 'refused', reason: 'EVENT_INVALID', detail: own.detail };
  const { hints } = own;
  const wishes: DeadlineWishes = {
    publishBy: upload.publishBy ?? hints.publishBy,
    publicationTimeout: upload.publicationTimeout ?? hints.publicationTimeout,
    publishNotBefore: upload.publishNotBefore ?? hints.publishNotBefore,
  };
  // Each of them is sound; one may be the event's and another the object's.
  const problem = problemOfWishes(wishes);
  if (problem !== undefined) return { outcome: 'refused', reason: 'EVENT_INVALID', detail: problem };
  const contentType = upload.contentType ?? stat.contentType;
  const source: SourceRef = {
    bucket: upload.bucket,
    key: upload.key,
    versionId: versionId ?? versionOf(stat.versionId),
    etag: stat.etag,
    size: stat.bytes,
    contentType,
  };
  const job: Job = {
    assetId: assetIdOf(source),
    workflowId: workflowIdOf(source),
    generation: 1,
    source,
    tenant: upload.tenant ?? hints.tenant ?? defaults.tenant,
    profile: upload.profile ?? hints.profile ?? defaults.profile,
    priority: upload.priority ?? hints.priority ?? DEFAULT_PRIORITY,
    uploadedAt: stat.modifiedAt.toISOString(),
    ...wishes,
    metadata: upload.metadata ?? hints.metadata,
  };
  return { outcome: 'admitted', job, contentType };
}

/** Buckets without versions have objects of the version "null". */
const versionOf = (versionId: string | undefined): string | undefined =>
  versionId === undefined || versionId === 'null' || versionId === '' ? undefined : versionId;
