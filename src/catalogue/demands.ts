/** What is still to be encoded before deadlines, of all tenants: they share the machines. */
import { sql } from 'kysely';

import type { Demand } from '../contracts/contention.js';
import { mapped, type Database } from './database.js';

/** Of the nearest: who looks further ahead than that many looks far enough. */
const MOST = 1_000;
/** What is so late is nobody's concern but its own. */
const LATE = '1 hour';
/** Of assets that failed, nobody takes the row back. */
const FORGOTTEN = '1 day';

export interface AssetDemand extends Demand {
  readonly assetId: string;
}

/** @param demand of an asset that has a row. Again: it begins anew */
export async function noteDemand(db: Database, { assetId, neededBy, work }: AssetDemand): Promise<void> {
  await mapped(async () => {
    await db.deleteFrom('deadline_demands').where('needed_by', '<', ago(FORGOTTEN)).execute();
    const row = { needed_by: new Date(neededBy), work };
    await db
      .insertInto('deadline_demands')
      .values({ asset_id: assetId, ...row })
      .onConflict((conflict) => conflict.column('asset_id').doUpdateSet(row))
      .execute();
  });
}

/** So much less is left. */
export async function noteDone(db: Database, assetId: string, work: number): Promise<void> {
  const query = db
    .updateTable('deadline_demands')
    .set({ work: sql`greatest(0, work - ${work}::float8)` })
    .where('asset_id', '=', assetId);
  await mapped(() => query.execute());
}

/** Of what is not published yet, the first needed first. */
export async function openDemands(db: Database): Promise<AssetDemand[]> {
  const neededBy = sql<Date>`coalesce(assets.publish_by, deadline_demands.needed_by)`;
  const query = db
    .selectFrom('deadline_demands')
    .innerJoin('assets', 'assets.id', 'deadline_demands.asset_id')
    .select(['asset_id', neededBy.as('needed_by'), 'work'])
    .where('assets.first_published_at', 'is', null)
    .where('assets.state', 'in', ['received', 'processing', 'playable'])
    .where(neededBy, '>', ago(LATE))
    .orderBy(neededBy)
    .orderBy('asset_id')
    .limit(MOST);
  const rows = await mapped(() => query.execute());
  return rows.map(({ asset_id, needed_by, work }) => ({ assetId: asset_id, neededBy: needed_by.getTime(), work }));
}

const ago = (interval: string) => sql<Date>`now() - interval '${sql.raw(interval)}'`;
