import { sql, type Kysely } from 'kysely';

/** What the front doors need: who may come in, what is on its way in, what is to be told to whom; and how assets are found again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Trusted since PostgreSQL 13: whoever may create tables in the database may create it.
  await sql`create extension if not exists pg_trgm`.execute(db);
  await sql`
    alter table assets
      add column title text,
      add column file_name text,
      add column tags text[] not null default '{}',
      add column metadata jsonb not null default '{}',
      add column profile text not null default 'default',
      add column priority smallint not null default 3 check (priority between 1 and 5),
      add column bytes bigint,
      add column duration double precision,
      add column content_type text,
      -- The latest job, as its workflow was given it: what reprocessing starts from.
      add column job jsonb,
      add column api_key text,
      add column legal_hold boolean not null default false,
      -- Of the source, for any kind of media; sha256 is that of what is published.
      add column source_sha256 text check (source_sha256 ~ '^[0-9a-f]{64}$'),
      -- Where the published generation lives. Of the same bytes uploaded twice, both name the same place.
      add column outputs_prefix text,
      -- Counts every change of the row: the ETag.
      add column revision integer not null default 1,
      -- When the last object of a deleted asset was gone.
      add column purged_at timestamptz,
      -- When its raw upload was removed.
      add column source_removed_at timestamptz`.execute(db);
  await sql`create index assets_outputs on assets (outputs_prefix) where outputs_prefix is not null`.execute(db);
  await sql`
    create table tenants (
      id text primary key,
      -- Retention by profile, quotas: src/contracts/tenants.ts
      settings jsonb not null default '{}',
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table api_keys (
      id text primary key,
      tenant text not null references tenants (id),
      name text not null,
      -- SHA-256 of a secret of 256 random bits: nothing slower is needed.
      secret_hash bytea not null,
      scopes text[] not null,
      limits jsonb not null default '{}',
      created_at timestamptz not null default now(),
      expires_at timestamptz,
      revoked_at timestamptz,
      last_used_at timestamptz
    )`.execute(db);
  await sql`
    create table uploads (
      id text primary key,
      tenant text not null,
      api_key text,
      kind text not null check (kind in ('post', 'tus', 'put', 'multipart', 'url', 'grpc', 'image')),
      state text not null default 'open' check (state in ('open', 'complete', 'failed', 'expired', 'cancelled')),
      bucket text not null,
      key text not null,
      -- What the uploader declared.
      size bigint,
      sha256 text,
      content_type text,
      file_name text,
      -- title, tags, metadata, profile, priority, publishBy
      facts jsonb not null default '{}',
      -- Of tus and multipart: how far it is, and the store's own names.
      progress jsonb not null default '{}',
      error jsonb,
      asset_id text,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      expires_at timestamptz not null,
      unique (bucket, key)
    )`.execute(db);
  await sql`create index uploads_open on uploads (expires_at) where state = 'open'`.execute(db);
  await sql`create index uploads_key_open on uploads (api_key) where state = 'open'`.execute(db);
  // What is to leave this database for another system. Written in the transaction of what it tells of; whoever sends it
  // removes the row afterwards: at least once.
  await sql`
    create table outbox (
      id bigint generated always as identity primary key,
      kind text not null check (kind in ('upload', 'start', 'delete', 'webhook')),
      payload jsonb not null,
      created_at timestamptz not null default now(),
      attempts integer not null default 0,
      not_before timestamptz not null default now()
    )`.execute(db);
  await sql`create index outbox_due on outbox (not_before, id)`.execute(db);
  await sql`
    create table idempotency_keys (
      tenant text not null,
      key text not null,
      fingerprint text not null,
      -- Null while the first request is under way.
      status integer,
      headers jsonb,
      body text,
      created_at timestamptz not null default now(),
      primary key (tenant, key)
    )`.execute(db);
  await sql`create index idempotency_keys_age on idempotency_keys (created_at)`.execute(db);
  // Which asset's outputs stand for these bytes in this profile.
  await sql`
    create table contents (
      tenant text not null,
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      profile text not null,
      asset_id text not null references assets (id),
      primary key (tenant, sha256, profile)
    )`.execute(db);
  await sql`create index contents_asset on contents (asset_id)`.execute(db);
  await sql`
    create table webhook_endpoints (
      id text primary key,
      tenant text not null,
      url text not null,
      -- Newest first; all of them sign while one is being rotated out.
      secrets jsonb not null,
      -- Event types; empty: all.
      events text[] not null default '{}',
      enabled boolean not null default true,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index webhook_endpoints_tenant on webhook_endpoints (tenant)`.execute(db);
  await sql`
    create table webhook_deliveries (
      id text primary key,
      endpoint_id text not null references webhook_endpoints (id) on delete cascade,
      -- The same for a delivery and its replays: the receiver drops copies by it.
      event_id text not null,
      type text not null,
      payload jsonb not null,
      state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
      attempts integer not null default 0,
      last_status integer,
      last_error text,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index webhook_deliveries_endpoint on webhook_deliveries (endpoint_id, created_at desc, id)`.execute(
    db,
  );
}
