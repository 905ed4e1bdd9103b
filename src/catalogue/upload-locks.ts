/** One writer at a time for each resumable upload, over all instances. Locks are leases: those of the dead run out. */
import { sql } from 'kysely';

import { mapped, type Database } from './database.js';

const until = (seconds: number) => sql<Date>`clock_timestamp() + make_interval(secs => ${seconds})`;

/** @returns false when somebody else has it, who is then told by `renewLock` that it is wanted */
export async function takeLock(db: Database, uploadId: string, holder: string, seconds: number): Promise<boolean> {
  const row = { upload_id: uploadId, holder, until: until(seconds) };
  const take = db
    .insertInto('upload_locks')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('upload_id')
        .doUpdateSet({ holder, until: until(seconds), wanted: false })
        .where('upload_locks.until', '<', sql<Date>`clock_timestamp()`),
    );
  if ((await mapped(() => take.executeTakeFirst())).numInsertedOrUpdatedRows! > 0n) return true;
  const want = db.updateTable('upload_locks').set({ wanted: true }).where('upload_id', '=', uploadId);
  await mapped(() => want.execute());
  return false;
}

/** @returns `lost` when it has become somebody else's */
export async function renewLock(
  db: Database,
  uploadId: string,
  holder: string,
  seconds: number,
): Promise<'held' | 'wanted' | 'lost'> {
  const query = db
    .updateTable('upload_locks')
    .set({ until: until(seconds) })
    .where('upload_id', '=', uploadId)
    .where('holder', '=', holder)
    .returning('wanted');
  const row = await mapped(() => query.executeTakeFirst());
  if (!row) return 'lost';
  return row.wanted ? 'wanted' : 'held';
}

export async function releaseLock(db: Database, uploadId: string, holder: string): Promise<void> {
  const query = db.deleteFrom('upload_locks').where('upload_id', '=', uploadId).where('holder', '=', holder);
  await mapped(() => query.execute());
}
