import { sql, type Kysely } from 'kysely';

/** When assets are needed, before when nobody may see them, and what becomes of that. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table assets
      -- Of a timeout that counts from the start of encoding: known when that starts.
      add column publish_by timestamptz,
      add column publish_not_before timestamptz,
      -- Of any generation: what a deadline is held against.
      add column first_published_at timestamptz,
      add column deadline_state text check (deadline_state in ('on-time', 'at-risk', 'met', 'missed')),
      -- Of 'met' and 'missed': when it was. publish_by minus this is the slack.
      add column projected_at timestamptz,
      add column deadline_measures text[] not null default '{}'`.execute(db);
  // As well as it is known.
  await sql`update assets set first_published_at = updated_at where generation > 0`.execute(db);
  await sql`
    create index assets_deadline on assets (tenant, deadline_state, publish_by, id)
      where deadline_state is not null`.execute(db);
  await sql`
    create index assets_publish_by on assets (tenant, (coalesce(publish_by, 'infinity')), created_at desc, id)`.execute(
    db,
  );
  // How fast machines of a class were at last: what projections begin with.
  await sql`
    create table encode_speeds (
      machine_class text not null,
      -- What was done: a codec and its effort, a size.
      work text not null,
      -- In the unit that the work is measured in, per second.
      speed double precision not null check (speed > 0),
      samples integer not null default 1,
      updated_at timestamptz not null default now(),
      primary key (machine_class, work)
    )`.execute(db);
}
