/** Uploads through the API, from the first byte to the asset. */
import { sql, type Selectable, type Transaction } from 'kysely';

import type { Job, Priority } from '../contracts/assets.js';
import type { DeadlineWishes } from '../contracts/deadlines.js';
import type { PublicError } from '../contracts/errors.js';
import { assetIdOf, workflowIdOf } from '../contracts/ids.js';
import type { UploadKind, UploadState } from '../contracts/uploads.js';
import { mapped, type Database, type Tables } from './database.js';
import { enqueue } from './outbox.js';
import { step } from './step.js';

/** What the uploader says of it, checked. */
export interface StoredFacts extends DeadlineWishes {
  readonly title?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly profile: string;
  readonly priority: Priority;
}

export interface UploadRow {
  readonly id: string;
  readonly tenant: string;
  readonly apiKey: string | null;
  readonly kind: UploadKind;
  readonly state: UploadState;
  readonly bucket: string;
  readonly key: string;
  /** Bytes: declared; of a complete one, counted. */
  readonly size: number | null;
  /** As declared. */
  readonly sha256: string | null;
  readonly contentType: string | null;
  readonly fileName: string | null;
  readonly facts: StoredFacts;
  /** Each kind's own notes of how far it is. */
  readonly progress: Readonly<Record<string, unknown>>;
  readonly error: PublicError | null;
  readonly assetId: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt: Date;
}

export type NewUpload = Pick<
  UploadRow,
  'id' | 'tenant' | 'apiKey' | 'kind' | 'bucket' | 'key' | 'size' | 'sha256' | 'contentType' | 'fileName' | 'facts'
> & { readonly hours: number };

/** An object as the store has it. */
export interface StoredObject {
  readonly etag: string;
  readonly versionId?: string | undefined;
  readonly bytes: number;
  /** Only where we computed it, or the store held the uploader to it. */
  readonly sha256?: string | undefined;
}

export type Completion =
  /** `job` is what it begins with. `fresh`: by this call. */
  | { readonly outcome: 'complete'; readonly job: Job; readonly fresh: boolean }
  /** It has ended otherwise before, its asset was deleted since, or there never was one. */
  | { readonly outcome: 'closed'; readonly state: Exclude<UploadState, 'open' | 'complete'> | undefined };

type Connection = Database | Transaction<Tables>;

export async function insertUpload(db: Connection, upload: NewUpload): Promise<UploadRow> {
  const { apiKey, contentType, fileName, facts, hours, ...same } = upload;
  const query = db
    .insertInto('uploads')
    .values({
      ...same,
      api_key: apiKey,
      content_type: contentType,
      file_name: fileName,
      facts: JSON.stringify(facts),
      expires_at: sql<Date>`now() + make_interval(hours => ${hours})`,
    })
    .returningAll();
  return uploadRow(await mapped(() => query.executeTakeFirstOrThrow()));
}

export async function findUpload(db: Connection, id: string): Promise<UploadRow | undefined> {
  const row = await mapped(() => db.selectFrom('uploads').selectAll().where('id', '=', id).executeTakeFirst());
  return row && uploadRow(row);
}

export async function findUploadAt(db: Connection, bucket: string, key: string): Promise<UploadRow | undefined> {
  const query = db.selectFrom('uploads').selectAll().where('bucket', '=', bucket).where('key', '=', key);
  const row = await mapped(() => query.executeTakeFirst());
  return row && uploadRow(row);
}

/**
 * @param offset how far it was before: whoever has been overtaken changes nothing
 * @returns false when it is further on, or no longer open
 */
export async function saveProgress(
  db: Connection,
  id: string,
  offset: number,
  progress: { readonly offset: number; readonly multipart?: string | undefined },
): Promise<boolean> {
  const query = db
    .updateTable('uploads')
    .set({ progress: JSON.stringify(progress), updated_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where('state', '=', 'open')
    .where(sql`coalesce((progress->>'offset')::bigint, 0)`, '=', offset);
  return (await mapped(() => query.executeTakeFirst())).numUpdatedRows > 0n;
}

/** Of open ones only. @returns false when it had ended before */
export async function closeUpload(
  db: Connection,
  id: string,
  state: 'failed' | 'expired' | 'cancelled',
  error?: PublicError,
): Promise<boolean> {
  const query = db
    .updateTable('uploads')
    .set({ state, error: error ? JSON.stringify(error) : null, updated_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where('state', '=', 'open');
  return (await mapped(() => query.executeTakeFirst())).numUpdatedRows > 0n;
}

/** Open ones whose time is over, oldest first. */
export async function expiredUploads(db: Database, limit: number): Promise<UploadRow[]> {
  const query = db
    .selectFrom('uploads')
    .selectAll()
    .where('state', '=', 'open')
    .where('expires_at', '<=', sql<Date>`now()`)
    .orderBy('expires_at')
    .limit(limit);
  return (await mapped(() => query.execute())).map(uploadRow);
}

/**
 * Its object is there and is what was announced: in one transaction the upload is complete, the asset `received`, and
 * its event on its way. Idempotent; of several who meet here, one does it.
 */
export async function completeUpload(db: Database, id: string, object: StoredObject): Promise<Completion> {
  return mapped(() =>
    db.transaction().execute(async (tx): Promise<Completion> => {
      const row = await tx.selectFrom('uploads').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
      if (!row) return { outcome: 'closed', state: undefined };
      const upload = uploadRow(row);
      if (upload.state === 'complete') {
        const job = await jobOf(tx, upload);
        // Of an asset that was deleted since, none is left.
        return job ? { outcome: 'complete', job, fresh: false } : { outcome: 'closed', state: undefined };
      }
      if (upload.state !== 'open') return { outcome: 'closed', state: upload.state };
      const job = firstJob(upload, object);
      const { fileName, contentType, apiKey, facts } = upload;
      const { title, tags, metadata, profile, priority } = facts;
      await step(tx, job, {
        to: 'received',
        by: 'upload',
        // The old image service's clients find theirs in a list at once.
        ...(upload.kind === 'image' && { kind: 'image' as const }),
        facts: {
          ...{ title, tags, metadata, profile, priority, bytes: object.bytes, sourceSha256: object.sha256 },
          ...(fileName !== null && { fileName }),
          ...(contentType !== null && { contentType }),
          ...(apiKey !== null && { apiKey }),
        },
      });
      await tx
        .updateTable('uploads')
        .set({ state: 'complete', asset_id: job.assetId, size: object.bytes, updated_at: sql<Date>`now()` })
        .where('id', '=', id)
        .execute();
      await enqueue(tx, 'upload', { assetId: job.assetId, event: eventOf(job, upload) });
      return { outcome: 'complete', job, fresh: true };
    }),
  );
}

/**
 * The end of an upload whose bytes somebody else wrote: complete, or failed where they are not what was announced. The
 * object is then to be removed.
 *
 * @param checked what `checkObject` says
 */
export async function settleUpload(
  db: Database,
  id: string,
  checked: { readonly ok: true; readonly object: StoredObject } | { readonly ok: false; readonly problem: string },
): Promise<Completion> {
  if (checked.ok) return completeUpload(db, id, checked.object);
  await closeUpload(db, id, 'failed');
  return { outcome: 'closed', state: 'failed' };
}

async function jobOf(tx: Transaction<Tables>, { assetId }: UploadRow): Promise<Job | null> {
  const query = tx
    .selectFrom('assets')
    .select('job')
    .where('id', '=', assetId ?? '');
  return (await query.executeTakeFirst())?.job ?? null;
}

/** Pure but for the clock. */
function firstJob({ bucket, key, tenant, contentType, facts }: UploadRow, object: StoredObject): Job {
  const { etag, versionId, bytes, sha256 } = object;
  const source = {
    ...{ bucket, key, etag, size: bytes },
    ...(versionId !== undefined && versionId !== 'null' && { versionId }),
    ...(contentType !== null && { contentType }),
    ...(sha256 !== undefined && { sha256 }),
  };
  const { profile, priority, publishBy, publicationTimeout, publishNotBefore, metadata } = facts;
  return {
    assetId: assetIdOf(source),
    workflowId: workflowIdOf(source),
    generation: 1,
    ...{ source, tenant, profile, priority },
    uploadedAt: new Date().toISOString(),
    ...(publishBy !== undefined && { publishBy }),
    ...(publicationTimeout !== undefined && { publicationTimeout }),
    ...(publishNotBefore !== undefined && { publishNotBefore }),
    ...(metadata && Object.keys(metadata).length > 0 && { metadata }),
  };
}

function eventOf(job: Job, { contentType }: UploadRow) {
  const { source, tenant, profile, priority, publishBy, publicationTimeout, publishNotBefore, metadata } = job;
  const { bucket, key, versionId, etag } = source;
  return {
    ...{ bucket, key, versionId, etag, tenant, profile, priority, metadata },
    ...{ publishBy, publicationTimeout, publishNotBefore },
    contentType: contentType ?? undefined,
  };
}

const uploadRow = (row: Selectable<Tables['uploads']>): UploadRow => ({
  id: row.id,
  tenant: row.tenant,
  apiKey: row.api_key,
  kind: row.kind,
  state: row.state,
  bucket: row.bucket,
  key: row.key,
  size: row.size === null ? null : Number(row.size),
  sha256: row.sha256,
  contentType: row.content_type,
  fileName: row.file_name,
  facts: row.facts as unknown as StoredFacts,
  progress: row.progress,
  error: row.error,
  assetId: row.asset_id,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  expiresAt: row.expires_at,
});
