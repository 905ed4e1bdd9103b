/** URLs that tenants want their events sent to. */
import { sql, type Selectable } from 'kysely';

import { mapped, type Database, type Tables } from './database.js';

/** A secret signs until its time is over; the newest one has no end. */
export interface EndpointSecret {
  /** `whsec_` and Base64 of 32 random bytes. */
  readonly secret: string;
  /** ISO 8601. */
  readonly until?: string | undefined;
}

export interface WebhookEndpoint {
  readonly id: string;
  readonly tenant: string;
  readonly url: string;
  /** Newest first. */
  readonly secrets: readonly EndpointSecret[];
  /** Types of events; empty: all. */
  readonly events: readonly string[];
  readonly enabled: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** @returns undefined when the tenant has so many already */
export async function createEndpoint(
  db: Database,
  endpoint: Pick<WebhookEndpoint, 'id' | 'tenant' | 'url' | 'secrets' | 'events'>,
  most: number,
): Promise<WebhookEndpoint | undefined> {
  const { id, tenant, url, secrets, events } = endpoint;
  return mapped(() =>
    db.transaction().execute(async (tx) => {
      // One at a time for each tenant, or two could both be the last.
      await sql`select pg_advisory_xact_lock(hashtext('webhook_endpoints'), hashtext(${tenant}))`.execute(tx);
      const { count } = await tx
        .selectFrom('webhook_endpoints')
        .select(({ fn }) => fn.countAll<string>().as('count'))
        .where('tenant', '=', tenant)
        .executeTakeFirstOrThrow();
      if (Number(count) >= most) return undefined;
      const row = await tx
        .insertInto('webhook_endpoints')
        .values({ id, tenant, url, secrets: JSON.stringify(secrets), events: [...events] })
        .returningAll()
        .executeTakeFirstOrThrow();
      return endpointOf(row);
    }),
  );
}

/** All of a tenant, oldest first. */
export async function listEndpoints(db: Database, tenant: string): Promise<WebhookEndpoint[]> {
  const query = db.selectFrom('webhook_endpoints').selectAll().where('tenant', '=', tenant).orderBy('created_at');
  return (await mapped(() => query.orderBy('id').execute())).map(endpointOf);
}

export async function findEndpoint(db: Database, tenant: string, id: string): Promise<WebhookEndpoint | undefined> {
  const query = db.selectFrom('webhook_endpoints').selectAll().where('tenant', '=', tenant).where('id', '=', id);
  const row = await mapped(() => query.executeTakeFirst());
  return row && endpointOf(row);
}

/** @returns undefined when the tenant has no such endpoint */
export async function changeEndpoint(
  db: Database,
  tenant: string,
  id: string,
  { url, events, enabled }: Partial<Pick<WebhookEndpoint, 'url' | 'events' | 'enabled'>>,
): Promise<WebhookEndpoint | undefined> {
  const query = db
    .updateTable('webhook_endpoints')
    .set((eb) => ({
      updated_at: eb.fn<Date>('clock_timestamp'),
      ...(url !== undefined && { url }),
      ...(events !== undefined && { events: [...events] }),
      ...(enabled !== undefined && { enabled }),
    }))
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .returningAll();
  const row = await mapped(() => query.executeTakeFirst());
  return row && endpointOf(row);
}

/**
 * Puts a new secret in front.
 *
 * @param rotate from the secrets that there are to those that there shall be
 * @returns undefined when the tenant has no such endpoint
 */
export async function changeSecrets(
  db: Database,
  tenant: string,
  id: string,
  rotate: (secrets: readonly EndpointSecret[]) => readonly EndpointSecret[],
): Promise<WebhookEndpoint | undefined> {
  return mapped(() =>
    db.transaction().execute(async (tx) => {
      const now = await tx
        .selectFrom('webhook_endpoints')
        .select('secrets')
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      if (!now) return undefined;
      const row = await tx
        .updateTable('webhook_endpoints')
        .set((eb) => ({
          secrets: JSON.stringify(rotate(now.secrets)),
          updated_at: eb.fn<Date>('clock_timestamp'),
        }))
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
      return endpointOf(row);
    }),
  );
}

/** With its deliveries. @returns false when the tenant has no such endpoint */
export async function removeEndpoint(db: Database, tenant: string, id: string): Promise<boolean> {
  const query = db.deleteFrom('webhook_endpoints').where('tenant', '=', tenant).where('id', '=', id);
  return (await mapped(() => query.executeTakeFirst())).numDeletedRows > 0n;
}

const endpointOf = (row: Selectable<Tables['webhook_endpoints']>): WebhookEndpoint => ({
  id: row.id,
  tenant: row.tenant,
  url: row.url,
  secrets: row.secrets,
  events: row.events,
  enabled: row.enabled,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
