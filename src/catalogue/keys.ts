/** API keys: what is kept of them. The secret itself never is. */
import type { Insertable, Selectable } from 'kysely';

import type { TenantSettings } from '../contracts/tenants.js';
import { mapped, type Database, type Tables } from './database.js';
import { ensureTenant } from './tenants.js';

type Row = Selectable<Tables['api_keys']>;

export interface KeyRow {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** Its own; what they don't say, its tenant's do. */
  readonly limits: Readonly<Record<string, number>>;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

export interface KnownKey extends KeyRow {
  /** SHA-256 of the secret. */
  readonly secretHash: Buffer;
  readonly tenantSettings: TenantSettings;
}

/** Makes its tenant when there is none. */
export async function insertKey(
  db: Database,
  key: Pick<KnownKey, 'id' | 'tenant' | 'name' | 'secretHash' | 'scopes' | 'limits'> & { expiresAt?: Date | undefined },
): Promise<void> {
  const { id, tenant, name, secretHash, scopes, limits, expiresAt } = key;
  const row: Insertable<Tables['api_keys']> = {
    id,
    tenant,
    name,
    secret_hash: secretHash,
    scopes: [...scopes],
    limits: JSON.stringify(limits),
    expires_at: expiresAt ?? null,
  };
  await ensureTenant(db, tenant);
  await mapped(() => db.insertInto('api_keys').values(row).execute());
}

/** Revoked and expired ones too. */
export async function findKey(db: Database, id: string): Promise<KnownKey | undefined> {
  const query = db
    .selectFrom('api_keys')
    .innerJoin('tenants', 'tenants.id', 'api_keys.tenant')
    .selectAll('api_keys')
    .select('tenants.settings')
    .where('api_keys.id', '=', id);
  const row = await mapped(() => query.executeTakeFirst());
  return row && { ...keyRow(row), secretHash: row.secret_hash, tenantSettings: row.settings };
}

/** Newest first. @param tenant default: all of them */
export async function listKeys(db: Database, tenant?: string): Promise<KeyRow[]> {
  let query = db.selectFrom('api_keys').selectAll().orderBy('created_at', 'desc').orderBy('id');
  if (tenant !== undefined) query = query.where('tenant', '=', tenant);
  return (await mapped(() => query.execute())).map(keyRow);
}

/** @returns false when there is no such key; a key that was revoked before stays so */
export async function revokeKey(db: Database, id: string): Promise<boolean> {
  const query = db
    .updateTable('api_keys')
    .set((eb) => ({ revoked_at: eb.fn.coalesce('revoked_at', eb.fn<Date>('now')) }))
    .where('id', '=', id);
  return (await mapped(() => query.executeTakeFirst())).numUpdatedRows > 0n;
}

export async function touchKey(db: Database, id: string): Promise<void> {
  await mapped(() =>
    db
      .updateTable('api_keys')
      .set((eb) => ({ last_used_at: eb.fn<Date>('now') }))
      .where('id', '=', id)
      .execute(),
  );
}

const keyRow = (row: Row): KeyRow => ({
  id: row.id,
  tenant: row.tenant,
  name: row.name,
  scopes: row.scopes,
  limits: row.limits,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
  lastUsedAt: row.last_used_at,
});
