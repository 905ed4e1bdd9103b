import { sql, type Kysely } from 'kysely';

/** A repair may take a generation from `partial` to `ready`, and a later one the other way, and back. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table asset_history drop constraint asset_history_asset_id_generation_to_state_key`.execute(db);
}
