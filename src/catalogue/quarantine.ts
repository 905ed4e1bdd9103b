/** Files that no decoder is to see again, until an operator lets it. */
import type { Selectable } from 'kysely';

import type { Job } from '../contracts/assets.js';
import type { PublicError } from '../contracts/errors.js';
import type { QuarantineRow } from './catalogue.js';
import { mapped, type Database, type Tables } from './database.js';

export async function quarantine(
  db: Database,
  { assetId, tenant }: Pick<Job, 'assetId' | 'tenant'>,
  sha256: string,
  verdict: PublicError,
): Promise<void> {
  const row = { sha256, verdict: JSON.stringify(verdict), asset_id: assetId, tenant };
  await mapped(() =>
    db
      .insertInto('quarantine')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
  );
}

export async function quarantined(db: Database, sha256: string): Promise<QuarantineRow | undefined> {
  const query = db.selectFrom('quarantine').selectAll().where('sha256', '=', sha256);
  const row = await mapped(() => query.executeTakeFirst());
  return row && quarantineRow(row);
}

export async function listQuarantine(db: Database, limit: number): Promise<QuarantineRow[]> {
  const query = db.selectFrom('quarantine').selectAll().orderBy('since', 'desc').orderBy('sha256').limit(limit);
  return (await mapped(() => query.execute())).map(quarantineRow);
}

export async function liftQuarantine(db: Database, sha256: string): Promise<boolean> {
  const query = db.deleteFrom('quarantine').where('sha256', '=', sha256);
  return (await mapped(() => query.executeTakeFirst())).numDeletedRows > 0n;
}

const quarantineRow = ({
  sha256,
  verdict,
  asset_id,
  tenant,
  since,
}: Selectable<Tables['quarantine']>): QuarantineRow => ({
  sha256,
  verdict,
  assetId: asset_id,
  tenant,
  since,
});
