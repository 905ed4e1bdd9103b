/** Answers to requests that carried an idempotency key, so that the same request again gets the same answer. */
import { sql } from 'kysely';

import { mapped, type Database } from './database.js';

export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Claim =
  /** The caller's to serve: it must end in `settleKey` or `releaseKey`, and say now and then that it lives. */
  | { readonly outcome: 'claimed' }
  | { readonly outcome: 'in-flight' }
  | { readonly outcome: 'answered'; readonly fingerprint: string; readonly answer: StoredAnswer }
  /** Another request under the same key. */
  | { readonly outcome: 'mismatch' };

/** A server that says nothing for so long has died with its request. Seconds. */
const LOCK_SECONDS = 30;
const KEPT_HOURS = 24;

/**
 * @param fingerprint what makes two requests the same. One that was settled with more (`settleKey`) begins with it
 */
export function claimKey(db: Database, tenant: string, key: string, fingerprint: string): Promise<Claim> {
  return mapped(() =>
    db.transaction().execute(async (tx): Promise<Claim> => {
      await tx
        .deleteFrom('idempotency_keys')
        .where('tenant', '=', tenant)
        .where('key', '=', key)
        .where((eb) =>
          eb.or([
            sql<boolean>`created_at < now() - make_interval(hours => ${KEPT_HOURS})`,
            sql<boolean>`status is null and locked_until < now()`,
          ]),
        )
        .execute();
      const inserted = await tx
        .insertInto('idempotency_keys')
        .values({ tenant, key, fingerprint, locked_until: LOCKED_UNTIL })
        .onConflict((conflict) => conflict.doNothing())
        .returning('key')
        .executeTakeFirst();
      if (inserted) return { outcome: 'claimed' };
      const row = await tx
        .selectFrom('idempotency_keys')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('key', '=', key)
        .executeTakeFirst();
      // Released in this moment: the caller may come again.
      if (!row) return { outcome: 'in-flight' };
      if (!row.fingerprint.startsWith(fingerprint)) return { outcome: 'mismatch' };
      if (row.status === null) return { outcome: 'in-flight' };
      const answer = { status: row.status, headers: row.headers ?? {}, body: row.body ?? '' };
      return { outcome: 'answered', fingerprint: row.fingerprint, answer };
    }),
  );
}

const LOCKED_UNTIL = sql<Date>`now() + make_interval(secs => ${LOCK_SECONDS})`;

/** The request is still being served. */
export async function holdKey(db: Database, tenant: string, key: string): Promise<void> {
  await mapped(() =>
    db
      .updateTable('idempotency_keys')
      .set({ locked_until: LOCKED_UNTIL })
      .where('tenant', '=', tenant)
      .where('key', '=', key)
      .where('status', 'is', null)
      .execute(),
  );
}

/** @param fingerprint begins with the one of the claim */
export async function settleKey(
  db: Database,
  tenant: string,
  key: string,
  fingerprint: string,
  { status, headers, body }: StoredAnswer,
): Promise<void> {
  await mapped(() =>
    db
      .updateTable('idempotency_keys')
      .set({ fingerprint, status, headers: JSON.stringify(headers), body })
      .where('tenant', '=', tenant)
      .where('key', '=', key)
      .where('status', 'is', null)
      .execute(),
  );
}

/** Nothing came of it: the key is free again. */
export async function releaseKey(db: Database, tenant: string, key: string): Promise<void> {
  await mapped(() =>
    db
      .deleteFrom('idempotency_keys')
      .where('tenant', '=', tenant)
      .where('key', '=', key)
      .where('status', 'is', null)
      .execute(),
  );
}

/** What is older than a day. @returns how many */
export async function forgetKeys(db: Database): Promise<number> {
  const query = db
    .deleteFrom('idempotency_keys')
    .where(sql<boolean>`created_at < now() - make_interval(hours => ${KEPT_HOURS})`);
  return Number((await mapped(() => query.executeTakeFirst())).numDeletedRows);
}
