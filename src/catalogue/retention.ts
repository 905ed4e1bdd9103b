/** What is kept for how long: by profile, else by tenant, else by the configuration. */
import { sql } from 'kysely';

import type { Config } from '../config/schema.js';
import type { Retention } from '../contracts/tenants.js';
import { ASSET_COLUMNS, assetRow, type AssetRecord } from './asset-row.js';
import type { AssetRow } from './catalogue.js';
import { mapped, type Database } from './database.js';
import { lockAsset } from './lifecycle.js';
import { enqueue } from './outbox.js';
import { TOUCHED } from './step.js';
import { tenantSettings } from './tenants.js';

export type Limits = Required<Pick<Retention, 'rawDays' | 'outputDays' | 'failedDays'>>;

/** Days; negative: for ever. */
export async function limitsOf(
  db: Database,
  { rawDays, outputDays, failedDays }: Config['retention'],
  tenant: string,
  profile: string,
): Promise<Limits> {
  const { retention, profiles } = await tenantSettings(db, tenant);
  return { rawDays, outputDays, failedDays, ...retention, ...profiles?.[profile]?.retention };
}

/** When the published generation was first published, and when work that came to nothing ended. */
const PUBLISHED_AT = sql<Date>`(
  select min(h.at) from asset_history h
  where h.asset_id = assets.id and h.generation = assets.generation and h.to_state in ('ready', 'partial'))`;
const ENDED_AT = sql<Date>`(
  select max(h.at) from asset_history h where h.asset_id = assets.id and h.to_state in ('failed', 'cancelled'))`;

const DUE = {
  /** Raw uploads of what is published whole. */
  rawDays: { of: sql<boolean>`assets.state = 'ready' and assets.source_removed_at is null`, since: PUBLISHED_AT },
  /** Published assets. */
  outputDays: { of: sql<boolean>`assets.state in ('ready', 'partial')`, since: PUBLISHED_AT },
  /** Assets of which nothing was ever published. */
  failedDays: { of: sql<boolean>`assets.state in ('failed', 'cancelled') and assets.generation = 0`, since: ENDED_AT },
} as const;

/**
 * Assets whose time is over, by their ids. None that is on hold.
 *
 * @param after the last id of the page before
 */
export async function findDue(
  db: Database,
  limit: keyof Limits,
  defaults: Config['retention'],
  after: string,
  most: number,
): Promise<AssetRow[]> {
  const { of, since } = DUE[limit];
  const days = sql<number>`coalesce(
    (tenants.settings #>> array['profiles', assets.profile, 'retention', ${limit}::text])::float8,
    (tenants.settings #>> array['retention', ${limit}::text])::float8,
    ${defaults[limit]}::float8)`;
  const before = sql<Date>`now() - ${days} * interval '1 day'`;
  const query = db
    .selectFrom('assets')
    .leftJoin('tenants', 'tenants.id', 'assets.tenant')
    .select(ASSET_COLUMNS.map((column) => (column.startsWith('assets.') ? column : `assets.${column}`)) as never)
    .where('assets.id', '>', after)
    .where('assets.legal_hold', '=', false)
    .where(of)
    .where(sql<boolean>`${days} >= 0`)
    // Cheap, and true of whatever is due.
    .where('assets.created_at', '<=', before)
    .where(since, '<=', before)
    .orderBy('assets.id')
    .limit(most);
  return ((await mapped(() => query.execute())) as unknown as AssetRecord[]).map(assetRow);
}

/**
 * From here on nothing can be made of the raw upload any more: it may be removed.
 *
 * @returns undefined when it has to stay: the asset is on hold, is being made again, or has none any more
 */
export function giveUpSource(db: Database, assetId: string): Promise<AssetRow | undefined> {
  return mapped(() =>
    db.transaction().execute(async (tx) => {
      const found = await lockAsset(tx, assetId);
      if (found.outcome !== 'locked') return undefined;
      const { row } = found;
      if (row.legalHold || row.state !== 'ready' || row.sourceRemovedAt) return undefined;
      await tx
        .updateTable('assets')
        .set({ source_removed_at: sql<Date>`clock_timestamp()`, ...TOUCHED })
        .where('id', '=', assetId)
        .execute();
      await enqueue(tx, 'document', { assetId });
      return row;
    }),
  );
}

/** It is not there any more, whoever removed it. */
export async function giveUpLostSource(db: Database, assetId: string): Promise<void> {
  await mapped(() =>
    db.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('assets')
        .set({ source_removed_at: sql<Date>`clock_timestamp()`, ...TOUCHED })
        .where('id', '=', assetId)
        .where('source_removed_at', 'is', null)
        .where('state', '<>', 'deleted')
        .executeTakeFirst();
      if (numUpdatedRows > 0n) await enqueue(tx, 'document', { assetId });
    }),
  );
}
