/** What happens among a tenant's assets: for those who look on. */
import { sql } from 'kysely';

import { ASSET_COLUMNS, assetRow } from './asset-row.js';
import type { AssetRow } from './catalogue.js';
import { mapped, type Database } from './database.js';

/** The database's own time: its rows are dated by it. */
export const databaseNow = (db: Database): Promise<Date> =>
  mapped(async () => (await sql<{ now: Date }>`select now() as now`.execute(db)).rows[0]!.now);

/** Tombstones too, oldest change first. Who was changed twice is there once. */
export const changedSince = (db: Database, tenant: string, since: Date, limit: number): Promise<AssetRow[]> =>
  mapped(async () => {
    const rows = await db
      .selectFrom('assets')
      .select(ASSET_COLUMNS)
      .where('tenant', '=', tenant)
      .where('updated_at', '>=', since)
      .orderBy('updated_at')
      .limit(limit)
      .execute();
    return rows.map(assetRow);
  });

/** Those that are being worked on, newest first. */
export const underWay = (db: Database, tenant: string, limit: number): Promise<AssetRow[]> =>
  mapped(async () => {
    const rows = await db
      .selectFrom('assets')
      .select(ASSET_COLUMNS)
      .where('tenant', '=', tenant)
      .where('state', 'in', ['processing', 'playable'])
      .orderBy('created_at', 'desc')
      .limit(limit)
      .execute();
    return rows.map(assetRow);
  });
