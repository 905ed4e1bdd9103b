import { sql, type Kysely } from 'kysely';

/** What published assets are delivered to, and what came of it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table target_deliveries (
      asset_id text not null references assets (id),
      generation integer not null,
      -- Its name in the operator's configuration.
      target text not null,
      required boolean not null,
      state text not null check (state in ('pending', 'failing', 'delivered')),
      -- Those that failed.
      failures integer not null default 0,
      -- The last one, a sentence.
      error text,
      -- Of the publication that is to be delivered: an upgrade is delivered again.
      requested_at timestamptz not null default date_trunc('milliseconds', now()),
      delivered_at timestamptz,
      primary key (asset_id, generation, target)
    )`.execute(db);
  await sql`create index target_deliveries_failing on target_deliveries (target, requested_at) where state <> 'delivered'`.execute(
    db,
  );
}
