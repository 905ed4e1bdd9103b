import { sql, type Kysely } from 'kysely';

/** What is still to be encoded of assets that have a deadline: whoever encodes one of them sees what the others need. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table deadline_demands (
      asset_id text primary key references assets on delete cascade,
      -- Of a timeout that counts from the start of encoding: if that were when it was inspected.
      needed_by timestamptz not null,
      -- In the unit of encode_speeds.speed, times seconds.
      work double precision not null
    )`.execute(db);
}
