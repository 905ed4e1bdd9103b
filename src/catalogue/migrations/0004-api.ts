import { sql, type Kysely } from 'kysely';

/**
 * Searches see words without accents, case and punctuation, which the parser would take for parts of hosts and paths.
 * Declared immutable, which they are: they need the database's encoding to be UTF-8, and nothing else.
 */
const FUNCTIONS = [
  String.raw`create function asset_fold(source text) returns text language sql immutable parallel safe strict as $$
    select trim(regexp_replace(
      lower(regexp_replace(normalize(source, NFKD), '[\u0300-\u036f]+', '', 'g')),
      '[\s\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+', ' ', 'g')) $$`,
  `create function asset_names(title text, file_name text) returns text language sql immutable parallel safe as $$
    select coalesce(title, '') || ' ' || coalesce(file_name, '') $$`,
  // A word of the title weighs most, one of the metadata least.
  `create function asset_words(title text, file_name text, tags text[], metadata jsonb) returns tsvector
    language sql immutable parallel safe as $$
    select setweight(to_tsvector('simple', asset_fold(coalesce(title, ''))), 'A')
      || setweight(to_tsvector('simple', asset_fold(array_to_string(tags, ' '))), 'B')
      || setweight(to_tsvector('simple', asset_fold(coalesce(file_name, ''))), 'C')
      || setweight(to_tsvector('simple', asset_fold(
           coalesce((select string_agg(value, ' ') from jsonb_each_text(metadata)), ''))), 'D') $$`,
];

const INDEXES = [
  'create index assets_search on assets using gin (tenant, state, kind, tags, words)',
  ...[0, 1, 2, 3].map(
    (place) =>
      `create index assets_hash_${place} on assets (tenant, hash_${place}) include (id) where hash_${place} is not null`,
  ),
  'create index assets_state on assets (tenant, state, created_at desc, id)',
  'create index assets_kind on assets (tenant, kind, created_at desc, id)',
  `create index assets_no_image on assets (tenant, created_at desc, id) where kind is distinct from 'image'`,
  'create index assets_bytes on assets (tenant, (coalesce(bytes, 0)) desc, created_at desc, id)',
  'create index assets_name on assets (tenant, left(names, 100), created_at desc, id)',
  'create index assets_changed on assets (tenant, updated_at)',
  'create index assets_duration on assets (tenant, (coalesce(duration, 0)) desc, created_at desc, id)',
];

/**
 * All words of a tenant's assets, for those who mistype them or have typed their beginning: the few words that they may
 * mean are found among these, and the assets by those words. Numbers are left out: they are many, and nobody's typing
 * errors.
 */
const VOCABULARY = [
  `create table asset_vocabulary (
    tenant text not null,
    -- Whatever the language of the database: words that begin alike stand together.
    word text collate "C" not null,
    primary key (tenant, word)
  )`,
  'create index asset_vocabulary_trigrams on asset_vocabulary using gin (tenant, word gin_trgm_ops)',
  // In the order of the words, so that two transactions never wait for each other.
  `create function learn_asset_words() returns trigger language plpgsql as $$ begin
    insert into asset_vocabulary
      select new.tenant, word from unnest(tsvector_to_array(new.words)) as word
      where length(word) between 3 and 40 and word !~ '[0-9]{3}'
      order by word
      on conflict do nothing;
    return null;
  end $$`,
  `create trigger assets_learn_words after insert or update of title, file_name, tags, metadata on assets
    for each row when (new.state <> 'deleted') execute function learn_asset_words()`,
];

/** What the front doors need: who may come in, what is on its way in, what is to be told to whom; and how assets are found again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Trusted since PostgreSQL 13: whoever may create tables in the database may create them.
  await sql`create extension if not exists pg_trgm`.execute(db);
  await sql`create extension if not exists btree_gin`.execute(db);
  for (const definition of FUNCTIONS) await sql.raw(definition).execute(db);
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
      add column source_removed_at timestamptz,
      -- Nothing of generations below this one is kept any more.
      add column swept_below integer not null default 0,
      -- Whoever deletes, this wins.
      add check (not (legal_hold and state = 'deleted'))`.execute(db);
  await sql`
    alter table assets
      add column words tsvector not null generated always as (asset_words(title, file_name, tags, metadata)) stored,
      add column names text not null
        generated always as (asset_fold(asset_names(title, file_name))) stored`.execute(db);
  // Quarters of the perceptual hash: hashes that differ in at most 11 bits have one that differs in at most two.
  for (const place of [0, 1, 2, 3]) {
    await sql`
      alter table assets add column ${sql.ref(`hash_${place}`)} integer
        generated always as (substring(perceptual_hash, ${sql.lit(16 * place + 1)}, 16)::bit(16)::integer) stored`.execute(
      db,
    );
  }
  // Searches read many rows with their words, and few documents: those that are large enough lie apart.
  await sql`alter table assets set (toast_tuple_target = 1024), alter column words set storage main`.execute(db);
  // How common a word is decides how it is looked for.
  await sql`alter table assets alter column words set statistics 1000`.execute(db);
  for (const definition of [...INDEXES, ...VOCABULARY]) await sql.raw(definition).execute(db);
  await sql`create index asset_history_asset on asset_history (asset_id, id)`.execute(db);
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
  await sql`create index uploads_key_newest on uploads (api_key, created_at) where api_key is not null`.execute(db);
  // Who writes to a resumable upload just now. Whoever died is forgotten when its time is over.
  await sql`
    create table upload_locks (
      upload_id text primary key,
      holder text not null,
      until timestamptz not null,
      -- Somebody else waits for it.
      wanted boolean not null default false
    )`.execute(db);
  // What is to leave this database for another system. Written in the transaction of what it tells of; whoever sends it
  // removes the row afterwards: at least once.
  await sql`
    create table outbox (
      id bigint generated always as identity primary key,
      kind text not null check (kind in ('upload', 'start', 'delete', 'webhook', 'document')),
      payload jsonb not null,
      created_at timestamptz not null default now(),
      attempts integer not null default 0,
      not_before timestamptz not null default now()
    )`.execute(db);
  await sql`create index outbox_due on outbox (kind, id)`.execute(db);
  await sql`
    create table idempotency_keys (
      tenant text not null,
      key text not null,
      fingerprint text not null,
      -- Null while the first request is under way.
      status integer,
      headers jsonb,
      body text,
      -- Until then whoever serves it is taken to be alive.
      locked_until timestamptz not null,
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
