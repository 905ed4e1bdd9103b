/** Deadlines that are still to be met, of all tenants: for metrics. */
import { sql } from 'kysely';

import type { DeadlineState } from '../contracts/deadlines.js';
import { mapped, type Database } from './database.js';

export interface OpenDeadlines {
  readonly state: DeadlineState & ('on-time' | 'at-risk');
  readonly assets: number;
  /** Seconds between projection and deadline; negative: late. Null: nobody has projected anything yet. */
  readonly leastSlack: number | null;
}

/** States of which there are none are left out. */
export async function openDeadlines(db: Database): Promise<OpenDeadlines[]> {
  const query = db
    .selectFrom('assets')
    .select((eb) => [
      'deadline_state as state',
      eb.fn.countAll<string>().as('assets'),
      sql<number | null>`min(extract(epoch from publish_by - projected_at))::float8`.as('least_slack'),
    ])
    .where('deadline_state', 'in', ['on-time', 'at-risk'])
    .where('first_published_at', 'is', null)
    .where('state', 'in', ['received', 'processing', 'playable'])
    .groupBy('deadline_state');
  const rows = await mapped(() => query.execute());
  return rows.map(({ state, assets, least_slack }) => ({
    state: state as OpenDeadlines['state'],
    assets: Number(assets),
    leastSlack: least_slack,
  }));
}
