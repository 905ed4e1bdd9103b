/**
 * The outbox: what is to leave this database for another system. A row is written in the transaction of
 * what it tells of, claimed by a relay for a while, and removed when it has arrived: at least once.
 */
import { sql, type RawBuilder, type Transaction } from 'kysely';

import type { OutboxKind, OutboxPayloads } from '../contracts/outbox.js';
import { mapped, type Database, type Tables } from './database.js';

export interface OutboxRow<K extends OutboxKind = OutboxKind> {
  readonly id: string;
  readonly kind: K;
  readonly payload: OutboxPayloads[K];
  /** This one included. */
  readonly attempts: number;
  readonly createdAt: Date;
}

/** Call it in the transaction of what it tells of. */
export async function enqueue<K extends OutboxKind>(
  db: Database | Transaction<Tables>,
  kind: K,
  payload: OutboxPayloads[K],
): Promise<void> {
  const row = { kind, payload: JSON.stringify(payload) };
  await mapped(() => db.insertInto('outbox').values(row).execute());
}

/**
 * Takes due rows of one kind, oldest first. Nobody else gets them before the lease is over; whoever took them
 * and died has then not sent them.
 *
 * @param leaseSeconds longer than sending takes at worst
 */
export async function claimOutbox<K extends OutboxKind>(
  db: Database,
  kind: K,
  limit: number,
  leaseSeconds: number,
): Promise<OutboxRow<K>[]> {
  const due = db
    .selectFrom('outbox')
    .select('id')
    .where('kind', '=', kind)
    .where('not_before', '<=', sql<Date>`clock_timestamp()`)
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .skipLocked();
  const query = db
    .updateTable('outbox')
    .set((eb) => ({ attempts: eb('attempts', '+', 1), not_before: secondsFromNow(leaseSeconds) }))
    // A subquery in a condition may be run more than once, and would then take more than `limit`.
    .where((eb) => eb('id', '=', sql<string>`any(array(${due}))`))
    .returningAll();
  const rows = await mapped(() => query.execute());
  return rows
    .map(({ id, payload, attempts, created_at }) => ({
      id,
      kind,
      payload: payload as unknown as OutboxPayloads[K],
      attempts,
      createdAt: created_at,
    }))
    .sort((a, b) => Number(BigInt(a.id) - BigInt(b.id)));
}

/** They have arrived. */
export async function removeFromOutbox(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await mapped(() => db.deleteFrom('outbox').where('id', 'in', ids).execute());
}

/** They have not, and are due again after a pause that grows from half a second to ten. */
export async function postponeOutbox(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const query = db
    .updateTable('outbox')
    .set({ not_before: secondsFromNow(sql<number>`least(10, 0.5 * 2 ^ least(attempts - 1, 10))`) })
    .where('id', 'in', ids);
  await mapped(() => query.execute());
}

/** Rows that wait, by kind: for metrics and for tests. */
export async function countOutbox(db: Database): Promise<Partial<Record<OutboxKind, number>>> {
  const query = db
    .selectFrom('outbox')
    .select(['kind', (eb) => eb.fn.countAll().as('rows')])
    .groupBy('kind');
  const rows = await mapped(() => query.execute());
  return Object.fromEntries(rows.map(({ kind, rows: count }) => [kind, Number(count)]));
}

const secondsFromNow = (seconds: number | RawBuilder<number>) =>
  sql<Date>`clock_timestamp() + make_interval(secs => ${seconds})`;
