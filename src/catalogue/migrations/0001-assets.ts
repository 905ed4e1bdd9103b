import { sql, type Kysely } from 'kysely';

/** Assets and their history. An asset's row is never removed: its key is what makes an upload known for ever. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table assets (
      id text primary key,
      workflow_id text not null,
      bucket text not null,
      key text not null,
      version text not null,
      tenant text not null,
      kind text check (kind in ('video', 'audio', 'image')),
      state text not null check (state in
        ('received', 'processing', 'playable', 'ready', 'partial', 'failed', 'cancelled', 'deleted')),
      begun integer not null check (begun > 0),
      generation integer not null default 0 check (generation between 0 and begun),
      error jsonb,
      document jsonb,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      unique (bucket, key, version),
      -- What is called finished can be seen.
      check (state not in ('ready', 'partial') or generation = begun)
    )`.execute(db);
  await sql`create index assets_workflow on assets (workflow_id)`.execute(db);
  await sql`create index assets_newest on assets (created_at desc, id)`.execute(db);
  await sql`create index assets_tenant_newest on assets (tenant, created_at desc, id)`.execute(db);
  await sql`
    create table asset_history (
      id bigint generated always as identity primary key,
      asset_id text not null references assets (id),
      at timestamptz not null default clock_timestamp(),
      from_state text,
      to_state text not null,
      generation integer not null,
      step text not null,
      error jsonb,
      -- A generation passes each state once.
      unique (asset_id, generation, to_state)
    )`.execute(db);
}
