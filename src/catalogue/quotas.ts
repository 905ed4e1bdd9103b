/** What an API key has used. */
import { sql, type Transaction } from 'kysely';

import { mapped, type Tables } from './database.js';

export interface Usage {
  readonly openUploads: number;
  /** Of the last 24 hours: uploaded, or announced and under way. */
  readonly bytes: number;
  /** Of video and audio uploaded in the last 24 hours, as far as they have been inspected. */
  readonly minutes: number;
}

/** Until the transaction ends, nobody else opens an upload of this key. */
export async function usageOf(tx: Transaction<Tables>, keyId: string): Promise<Usage> {
  await mapped(() => sql`select pg_advisory_xact_lock(hashtextextended(${`uploads of ${keyId}`}, 0))`.execute(tx));
  const query = sql<{ open: string; bytes: string; minutes: number }>`
    select
      (select count(*) from uploads where api_key = ${keyId} and state = 'open') as open,
      (select coalesce(sum(size), 0) from uploads
        where api_key = ${keyId} and state in ('open', 'complete') and created_at > now() - interval '1 day') as bytes,
      (select coalesce(sum(a.duration), 0) / 60 from uploads u join assets a on a.id = u.asset_id
        where u.api_key = ${keyId} and u.state = 'complete' and u.created_at > now() - interval '1 day') as minutes`;
  const { rows } = await mapped(() => query.execute(tx));
  const [{ open, bytes, minutes } = { open: '0', bytes: '0', minutes: 0 }] = rows;
  return { openUploads: Number(open), bytes: Number(bytes), minutes: Number(minutes) };
}
