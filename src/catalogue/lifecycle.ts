/** The end of an asset's life, and what ends before it: tombstones, holds, and whose outputs are whose. */
import { sql, type Transaction } from 'kysely';

import { FINAL_STATES, outputPrefix, type Job, type Priority, type SourceRef } from '../contracts/assets.js';
import type { PublicError } from '../contracts/errors.js';
import { generationIdOf } from '../contracts/ids.js';
import { WORKFLOW_TYPES } from '../contracts/names.js';
import { ASSET_COLUMNS, assetRow } from './asset-row.js';
import type { AssetRow } from './catalogue.js';
import { passOn } from './contents.js';
import { mapped, type Database, type Tables } from './database.js';
import { enqueue } from './outbox.js';
import { step, TOUCHED } from './step.js';

type Tx = Transaction<Tables>;

/** Whose asset, and as the caller last saw it. */
export interface Expected {
  readonly tenant?: string | undefined;
  readonly revision?: number | undefined;
}

export type Locked =
  | { readonly outcome: 'locked'; readonly row: AssetRow }
  /** No such asset, or another tenant's: nobody is told which. */
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'changed'; readonly row: AssetRow };

/** The row, nobody else's until the transaction ends. */
export async function lockAsset(tx: Tx, assetId: string, { tenant, revision }: Expected = {}): Promise<Locked> {
  const query = tx.selectFrom('assets').select(ASSET_COLUMNS).where('id', '=', assetId).forUpdate();
  const found = await query.executeTakeFirst();
  if (!found || (tenant !== undefined && found.tenant !== tenant)) return { outcome: 'unknown' };
  const row = assetRow(found);
  return { outcome: revision === undefined || revision === row.revision ? 'locked' : 'changed', row };
}

export type Deletion =
  | Exclude<Locked, { readonly outcome: 'locked' }>
  | { readonly outcome: 'held'; readonly row: AssetRow }
  | { readonly outcome: 'deleted'; readonly row: AssetRow };

/**
 * From here on the asset is a tombstone: whatever comes later is refused. Its objects are removed by the workflow
 * that the outbox starts. Again: nothing is done twice.
 *
 * @param by who or what deletes: `delete`, `retention`
 */
export function entomb(db: Database, assetId: string, by: string, expected: Expected = {}): Promise<Deletion> {
  return mapped(() =>
    db.transaction().execute(async (tx): Promise<Deletion> => {
      const found = await lockAsset(tx, assetId, expected);
      if (found.outcome === 'unknown') return found;
      const { row } = found;
      if (row.state === 'deleted') return { outcome: 'deleted', row };
      if (found.outcome === 'changed') return found;
      if (row.legalHold) return { outcome: 'held', row };
      await step(tx, jobOf(row), { to: 'deleted', by, kind: row.kind });
      await passOn(tx, row);
      await enqueue(tx, 'delete', { assetId, tenant: row.tenant });
      return { outcome: 'deleted', row: await reread(tx, assetId) };
    }),
  );
}

export type Cancellation = Exclude<Locked, { readonly outcome: 'changed' }>;

/** For work that no workflow does, yet: what would start it is withdrawn. Of an asset that has ended, nothing is changed. */
export function cancelUnstarted(db: Database, assetId: string, error: PublicError): Promise<Cancellation> {
  return mapped(() =>
    db.transaction().execute(async (tx): Promise<Cancellation> => {
      const found = await lockAsset(tx, assetId);
      if (found.outcome !== 'locked') return { outcome: 'unknown' };
      await step(tx, jobOf(found.row), { to: 'cancelled', by: 'cancel', error });
      await tx
        .deleteFrom('outbox')
        .where('kind', 'in', ['upload', 'start'])
        .where(sql<string>`coalesce(payload ->> 'assetId', payload -> 'job' ->> 'assetId')`, '=', assetId)
        .execute();
      return { outcome: 'locked', row: await reread(tx, assetId) };
    }),
  );
}

/** @returns the row afterwards; undefined where there is no such asset, or nothing of it any more */
export function setHold(db: Database, tenant: string, assetId: string, hold: boolean): Promise<AssetRow | undefined> {
  return mapped(() =>
    db.transaction().execute(async (tx) => {
      const found = await lockAsset(tx, assetId, { tenant });
      if (found.outcome !== 'locked' || found.row.state === 'deleted') return undefined;
      const { row } = found;
      if (row.legalHold === hold) return row;
      await tx
        .updateTable('assets')
        .set({ legal_hold: hold, ...TOUCHED })
        .where('id', '=', assetId)
        .execute();
      await tx
        .insertInto('asset_history')
        .values({
          asset_id: assetId,
          from_state: row.state,
          to_state: row.state,
          generation: row.begun,
          step: hold ? 'legal hold' : 'legal hold released',
        })
        .execute();
      if (row.document) await enqueue(tx, 'document', { assetId });
      return reread(tx, assetId);
    }),
  );
}

export async function reread(tx: Tx, assetId: string): Promise<AssetRow> {
  const query = tx.selectFrom('assets').select(ASSET_COLUMNS).where('id', '=', assetId);
  return assetRow(await query.executeTakeFirstOrThrow());
}

/** The latest job of an asset; of one from before jobs were kept, what can be said of it. */
export function jobOf(row: AssetRow): Job {
  const source: SourceRef = row.document?.source ?? {
    bucket: row.bucket,
    key: row.key,
    etag: row.version,
  };
  return (
    row.job ?? {
      assetId: row.id,
      workflowId: row.workflowId,
      generation: row.begun,
      source,
      tenant: row.tenant,
      profile: row.profile,
      priority: row.priority,
      uploadedAt: row.createdAt.toISOString(),
      metadata: row.metadata,
    }
  );
}

/**
 * Places below `assets/<assetId>/` that must stay although the asset is deleted: assets of the same bytes play from them.
 *
 * @returns prefixes, each with a slash at its end
 */
export async function adoptedPlaces(db: Database, assetId: string): Promise<string[]> {
  const query = db
    .selectFrom('assets')
    .select('outputs_prefix')
    .distinct()
    .where('outputs_prefix', '>=', `assets/${assetId}/`)
    // The character after the slash.
    .where('outputs_prefix', '<', `assets/${assetId}0`)
    .where('state', '<>', 'deleted');
  return (await mapped(() => query.execute())).map((row) => row.outputs_prefix!);
}

/** Whether nobody needs what is there any more: no living asset plays it, and the one that made it is deleted. */
export async function isAbandoned(db: Database, prefix: string): Promise<boolean> {
  const owner = ownerOf(prefix);
  const query = db
    .selectFrom('assets')
    .select('id')
    .where('state', '<>', 'deleted')
    .where((eb) => eb.or([eb('outputs_prefix', '=', prefix), ...(owner ? [eb('id', '=', owner.assetId)] : [])]));
  return (await mapped(() => query.executeTakeFirst())) === undefined;
}

/** The generation that a place below the media bucket belongs to. */
export function ownerOf(prefix: string): { readonly assetId: string; readonly generation: number } | undefined {
  const match = /^assets\/([0-9a-f]{24})\/g([1-9]\d{0,8})\//.exec(prefix);
  return match ? { assetId: match[1]!, generation: Number(match[2]) } : undefined;
}

/** Whether we gave this key out for one upload: then all versions of it are that upload's. */
export async function isUploadKey(db: Database, bucket: string, key: string): Promise<boolean> {
  const query = db.selectFrom('uploads').select('id').where('bucket', '=', bucket).where('key', '=', key);
  return (await mapped(() => query.executeTakeFirst())) !== undefined;
}

/** Whether its outputs are those of another asset. */
export const isTwin = ({ id, generation, outputsPrefix }: AssetRow): boolean =>
  outputsPrefix !== null && outputsPrefix !== outputPrefix(id, generation);

/** Nothing of it is left but that it was there: what the uploader said goes too. */
export async function markPurged(db: Database, { id, bucket, key }: AssetRow): Promise<void> {
  await mapped(() =>
    db.transaction().execute(async (tx) => {
      await tx
        .updateTable('assets')
        .set({ purged_at: sql<Date>`clock_timestamp()`, document: null, job: null, outputs_prefix: null, ...TOUCHED })
        .where('id', '=', id)
        .where('state', '=', 'deleted')
        .execute();
      await tx
        .updateTable('uploads')
        .set({ facts: '{}', file_name: null })
        .where('bucket', '=', bucket)
        .where('key', '=', key)
        .execute();
    }),
  );
}

export type Beginning =
  | Exclude<Locked, { readonly outcome: 'locked' }>
  /** `busy`: work is under way. `sourceless`: the raw upload was removed. */
  | { readonly outcome: 'deleted' | 'busy' | 'sourceless'; readonly row: AssetRow }
  | { readonly outcome: 'begun'; readonly row: AssetRow };

/**
 * Begins the next generation: the whole asset is made anew, and what is published plays until that is. Its workflow is
 * started through the outbox.
 */
export function beginGeneration(
  db: Database,
  assetId: string,
  by: string,
  wish: { readonly profile?: string | undefined; readonly priority?: Priority | undefined },
  expected: Expected = {},
): Promise<Beginning> {
  return mapped(() =>
    db.transaction().execute(async (tx): Promise<Beginning> => {
      const found = await lockAsset(tx, assetId, expected);
      if (found.outcome === 'unknown') return found;
      const { row } = found;
      if (row.state === 'deleted') return { outcome: 'deleted', row };
      if (found.outcome === 'changed') return found;
      if (!FINAL_STATES.includes(row.state)) return { outcome: 'busy', row };
      if (row.sourceRemovedAt) return { outcome: 'sourceless', row };
      const { corrected: _settled, ...before } = jobOf(row);
      const latest = row.firstPublishedAt ? withoutDeadline(before) : before;
      const generation = row.begun + 1;
      const job: Job = {
        ...latest,
        generation,
        workflowId: generationIdOf(row.workflowId, generation),
        profile: wish.profile ?? row.profile,
        priority: wish.priority ?? row.priority,
        // What it has been changed to since.
        metadata: row.metadata,
      };
      await step(tx, job, { to: 'received', by, kind: row.kind, facts: { priority: job.priority } });
      const { contentType, fileName } = row;
      await enqueue(tx, 'start', {
        job,
        ...(row.kind && { workflowType: row.kind === 'image' ? WORKFLOW_TYPES.image : WORKFLOW_TYPES.video }),
        ...(contentType !== null && { contentType }),
        ...(fileName !== null && { fileName }),
      });
      return { outcome: 'begun', row: await reread(tx, assetId) };
    }),
  );
}

/** A deadline is that of the first publication. */
const withoutDeadline = ({ publishBy: _by, publicationTimeout: _within, ...rest }: Job): Job => rest;
