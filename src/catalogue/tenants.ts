/** What is agreed with each tenant. */
import type { Selectable } from 'kysely';

import type { TenantSettings } from '../contracts/tenants.js';
import { mapped, type Database, type Tables } from './database.js';

export interface TenantRow {
  readonly id: string;
  readonly settings: TenantSettings;
  readonly createdAt: Date;
}

/** A tenant that is known already keeps its settings. */
export async function ensureTenant(db: Database, id: string): Promise<void> {
  await mapped(() =>
    db
      .insertInto('tenants')
      .values({ id })
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
  );
}

/** Of a tenant that nobody has made: no settings. */
export async function tenantSettings(db: Database, id: string): Promise<TenantSettings> {
  const query = db.selectFrom('tenants').select('settings').where('id', '=', id);
  return (await mapped(() => query.executeTakeFirst()))?.settings ?? {};
}

/** Makes the tenant when there is none. @param settings replace those before */
export async function setTenantSettings(db: Database, id: string, settings: TenantSettings): Promise<void> {
  const text = JSON.stringify(settings);
  await mapped(() =>
    db
      .insertInto('tenants')
      .values({ id, settings: text })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ settings: text }))
      .execute(),
  );
}

/** By name. */
export async function listTenants(db: Database): Promise<TenantRow[]> {
  const rows = await mapped(() => db.selectFrom('tenants').selectAll().orderBy('id').execute());
  return rows.map(tenantRow);
}

const tenantRow = ({ id, settings, created_at }: Selectable<Tables['tenants']>): TenantRow => ({
  id,
  settings,
  createdAt: created_at,
});
