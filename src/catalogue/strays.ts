/** Rows that wait for something which may never come. */
import { sql, type Transaction } from 'kysely';

import { WORKFLOW_TYPES } from '../contracts/names.js';
import type { UploadState } from '../contracts/uploads.js';
import { ASSET_COLUMNS, assetRow } from './asset-row.js';
import type { AssetRow } from './catalogue.js';
import { mapped, type Database, type Tables } from './database.js';
import { jobOf, lockAsset } from './lifecycle.js';
import { enqueue } from './outbox.js';

const secondsAgo = (seconds: number) => sql<Date>`now() - make_interval(secs => ${seconds})`;

/** Whether its row waits in the outbox already. */
const IS_ON_ITS_WAY = sql<boolean>`exists (
  select from outbox where coalesce(payload ->> 'assetId', payload -> 'job' ->> 'assetId') = assets.id)`;

/** Assets that should be made, and of which nothing was heard for so long, by their ids. @param after an id */
export async function stalledAssets(db: Database, seconds: number, after: string, limit: number): Promise<AssetRow[]> {
  const query = db
    .selectFrom('assets')
    .select(ASSET_COLUMNS)
    .where('state', 'in', ['received', 'processing', 'playable'])
    .where('updated_at', '<', secondsAgo(seconds))
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit);
  return (await mapped(() => query.execute())).map(assetRow);
}

/** Asks for the workflow of a stalled asset once more. @returns false when it has ended, or is on its way */
export function startAgain(db: Database, assetId: string): Promise<boolean> {
  return mapped(() =>
    db.transaction().execute(async (tx) => {
      const found = await lockAsset(tx, assetId);
      if (found.outcome !== 'locked' || !['received', 'processing', 'playable'].includes(found.row.state)) return false;
      if (await isOnItsWay(tx, assetId)) return false;
      const { row } = found;
      await enqueue(tx, 'start', {
        job: jobOf(row),
        ...(row.kind && { workflowType: row.kind === 'image' ? WORKFLOW_TYPES.image : WORKFLOW_TYPES.video }),
        ...(row.contentType !== null && { contentType: row.contentType }),
        ...(row.fileName !== null && { fileName: row.fileName }),
      });
      return true;
    }),
  );
}

/** Deleted so long ago, and still with objects: asks for their removal once more. @returns how many */
export async function purgeAgain(db: Database, seconds: number): Promise<number> {
  const query = db
    .insertInto('outbox')
    .columns(['kind', 'payload'])
    .expression((from) =>
      from
        .selectFrom('assets')
        .select([
          sql<'delete'>`'delete'`.as('kind'),
          sql<string>`jsonb_build_object('assetId', id, 'tenant', tenant)`.as('payload'),
        ])
        .where('state', '=', 'deleted')
        .where('purged_at', 'is', null)
        .where('updated_at', '<', secondsAgo(seconds))
        .where((eb) => eb.not(IS_ON_ITS_WAY)),
    );
  return Number((await mapped(() => query.executeTakeFirst())).numInsertedOrUpdatedRows ?? 0n);
}

/** Assets that were made again, since so long, and of which earlier generations may still be there. @param after an id */
export async function renewedAssets(db: Database, seconds: number, after: string, limit: number): Promise<AssetRow[]> {
  const query = db
    .selectFrom('assets')
    .select(ASSET_COLUMNS)
    .where('generation', '>', 1)
    .where((eb) => eb('swept_below', '<', eb.ref('generation')))
    .where('state', '<>', 'deleted')
    .where('legal_hold', '=', false)
    .where(
      sql<Date>`(select min(at) from asset_history h
        where h.asset_id = assets.id and h.generation = assets.generation and h.to_state in ('ready', 'partial'))`,
      '<',
      secondsAgo(seconds),
    )
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit);
  return (await mapped(() => query.execute())).map(assetRow);
}

/** Nothing of generations below this one is kept any more. */
export async function noteSwept(db: Database, assetId: string, below: number): Promise<void> {
  await mapped(() => db.updateTable('assets').set({ swept_below: below }).where('id', '=', assetId).execute());
}

/** Of these places below the media bucket, those from which some living asset plays. */
export async function playedPlaces(db: Database, prefixes: readonly string[]): Promise<ReadonlySet<string>> {
  if (prefixes.length === 0) return new Set();
  const query = db
    .selectFrom('assets')
    .select('outputs_prefix')
    .distinct()
    .where('outputs_prefix', 'in', prefixes)
    .where('state', '<>', 'deleted');
  return new Set((await mapped(() => query.execute())).map((row) => row.outputs_prefix!));
}

/** All assets that had a row at that time, by their ids. */
export async function* allAssets(db: Database, before: Date, page = 500): AsyncGenerator<AssetRow, undefined> {
  for (let after = ''; ;) {
    const query = db
      .selectFrom('assets')
      .select(ASSET_COLUMNS)
      .where('id', '>', after)
      .where('created_at', '<=', before)
      .orderBy('id')
      .limit(page);
    const rows = (await mapped(() => query.execute())).map(assetRow);
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < page) return undefined;
    after = last.id;
  }
}

export async function findAssets(db: Database, ids: readonly string[]): Promise<ReadonlyMap<string, AssetRow>> {
  if (ids.length === 0) return new Map();
  const query = db.selectFrom('assets').select(ASSET_COLUMNS).where('id', 'in', ids);
  return new Map((await mapped(() => query.execute())).map((row) => [row.id, assetRow(row)]));
}

async function isOnItsWay(tx: Transaction<Tables>, assetId: string): Promise<boolean> {
  const query = tx.selectFrom('assets').select('id').where('id', '=', assetId).where(IS_ON_ITS_WAY);
  return (await query.executeTakeFirst()) !== undefined;
}

/** Ids of open uploads that others write straight to the store, and of which nothing was heard for so long. @param after an id */
export async function silentUploads(db: Database, seconds: number, after: string, limit: number): Promise<string[]> {
  const query = db
    .selectFrom('uploads')
    .select('id')
    .where('state', '=', 'open')
    .where('kind', 'in', ['put', 'multipart'])
    .where('updated_at', '<', secondsAgo(seconds))
    .where('expires_at', '>', sql<Date>`now()`)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit);
  return (await mapped(() => query.execute())).map(({ id }) => id);
}

/** Of keys that we gave out for uploads, by the key. */
export async function findUploadStates(
  db: Database,
  bucket: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, UploadState>> {
  if (keys.length === 0) return new Map();
  const query = db.selectFrom('uploads').select(['key', 'state']).where('bucket', '=', bucket).where('key', 'in', keys);
  return new Map((await mapped(() => query.execute())).map(({ key, state }) => [key, state]));
}
