/** Deliveries: one event for one endpoint, written in the transaction of what it tells of. */
import { randomUUID } from 'node:crypto';

import { sql, type Selectable, type Transaction } from 'kysely';

import type { AssetEventData, WebhookEvent, WebhookEventType } from '../contracts/webhooks.js';
import { mapped, type Database, type Tables } from './database.js';
import type { EndpointSecret } from './webhook-endpoints.js';

export type DeliveryState = 'pending' | 'delivered' | 'failed';

export interface Delivery {
  readonly id: string;
  readonly endpointId: string;
  /** The same for a delivery and its replays. */
  readonly eventId: string;
  readonly type: string;
  readonly event: WebhookEvent;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** HTTP status of the last answer. */
  readonly lastStatus: number | null;
  /** A sentence. */
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A delivery with what an attempt needs of its endpoint. */
export interface DueDelivery extends Delivery {
  readonly tenant: string;
  readonly url: string;
  readonly secrets: readonly EndpointSecret[];
  readonly enabled: boolean;
}

const eventId = (): string => `evt_${randomUUID().replaceAll('-', '')}`;
const deliveryId = sql<string>`replace(gen_random_uuid()::text, '-', '')`;

/** Rows of the outbox for deliveries; whoever sends them starts the workflow of each. */
const TO_OUTBOX = sql`
  insert into outbox (kind, payload)
  select 'webhook', jsonb_build_object('deliveryId', id, 'tenant', tenant) from due`;

/**
 * To every endpoint of the tenant that wants it; to be called after the asset's row was written, in the same
 * transaction. One statement: most tenants have none.
 */
export async function announceToWebhooks(
  tx: Transaction<Tables>,
  type: WebhookEventType,
  change: Omit<AssetEventData, 'kind' | 'title' | 'metadata'>,
): Promise<void> {
  const event = { type, timestamp: new Date().toISOString() };
  await sql`
    with made as (
      insert into webhook_deliveries (id, endpoint_id, event_id, type, payload)
      select ${deliveryId}, e.id, ${eventId()}, ${type}, ${JSON.stringify(event)}::jsonb || jsonb_build_object(
        'data',
        ${JSON.stringify(change)}::jsonb || jsonb_build_object('kind', a.kind, 'title', a.title, 'metadata', a.metadata)
      )
      from webhook_endpoints e join assets a on a.id = ${change.assetId}
      where e.tenant = ${change.tenant} and e.enabled and (e.events = '{}' or ${type} = any (e.events))
      returning id
    ), due as (select id, ${change.tenant}::text as tenant from made)
    ${TO_OUTBOX}`.execute(tx);
}

/** To one endpoint, whatever it asked for. @returns the delivery's id */
export async function sendTo(
  db: Database,
  { id, tenant }: { readonly id: string; readonly tenant: string },
  event: WebhookEvent,
): Promise<string> {
  const delivery = randomUUID().replaceAll('-', '');
  await mapped(() =>
    sql`
      with made as (
        insert into webhook_deliveries (id, endpoint_id, event_id, type, payload)
        values (${delivery}, ${id}, ${eventId()}, ${event.type}, ${JSON.stringify(event)}::jsonb)
        returning id
      ), due as (select id, ${tenant}::text as tenant from made)
      ${TO_OUTBOX}`.execute(db),
  );
  return delivery;
}

/**
 * Sends events again, each as it was and under its old id.
 *
 * @param which one delivery, or all since a time that are in one of the states; of several of one event only the last
 * @returns ids of the new deliveries
 */
export async function replay(
  db: Database,
  endpoint: { readonly id: string; readonly tenant: string },
  which:
    | { readonly deliveryId: string }
    | { readonly since: Date; readonly until: Date; readonly states: readonly DeliveryState[]; readonly most: number },
): Promise<string[]> {
  const chosen =
    'deliveryId' in which
      ? sql`select * from webhook_deliveries where endpoint_id = ${endpoint.id} and id = ${which.deliveryId}`
      : sql`
          select * from (
            select distinct on (event_id) * from webhook_deliveries
            where endpoint_id = ${endpoint.id} and created_at >= ${which.since} and created_at < ${which.until}
            order by event_id, created_at desc
          ) latest
          where state = any (${[...which.states]}::text[]) order by created_at, id limit ${which.most}`;
  const { rows } = await mapped(() =>
    sql<{ id: string }>`
      with chosen as (${chosen}), made as (
        insert into webhook_deliveries (id, endpoint_id, event_id, type, payload)
        select ${deliveryId}, endpoint_id, event_id, type, payload from chosen
        returning id
      ), due as (select id, ${endpoint.tenant}::text as tenant from made), sent as (${TO_OUTBOX})
      select id from due`.execute(db),
  );
  return rows.map(({ id }) => id);
}

/** @returns undefined when its endpoint was removed */
export async function findDue(db: Database, id: string): Promise<DueDelivery | undefined> {
  const query = db
    .selectFrom('webhook_deliveries as d')
    .innerJoin('webhook_endpoints as e', 'e.id', 'd.endpoint_id')
    .selectAll('d')
    .select(['e.tenant', 'e.url', 'e.secrets', 'e.enabled'])
    .where('d.id', '=', id);
  const row = await mapped(() => query.executeTakeFirst());
  if (!row) return undefined;
  const { tenant, url, secrets, enabled } = row;
  return { ...deliveryOf(row), tenant, url, secrets, enabled };
}

/** What came of an attempt. */
export async function recordAttempt(
  db: Database,
  id: string,
  { state, status, error }: { state: DeliveryState; status?: number | undefined; error?: string | undefined },
): Promise<void> {
  const query = db
    .updateTable('webhook_deliveries')
    .set((eb) => ({
      state,
      attempts: eb('attempts', '+', 1),
      last_status: status ?? null,
      last_error: error ?? null,
      updated_at: eb.fn<Date>('clock_timestamp'),
    }))
    .where('id', '=', id);
  await mapped(() => query.execute());
}

/** Nobody tries any more. @param reason instead of what the last attempt said */
export async function abandon(db: Database, id: string, reason?: string): Promise<void> {
  const query = db
    .updateTable('webhook_deliveries')
    .set((eb) => ({
      state: 'failed' as const,
      ...(reason !== undefined && { last_error: reason }),
      updated_at: eb.fn<Date>('clock_timestamp'),
    }))
    .where('id', '=', id)
    .where('state', '=', 'pending');
  await mapped(() => query.execute());
}

/** Newest first. @param options `after`: a delivery's id; the page goes on with the next older one */
export async function listDeliveries(
  db: Database,
  endpointId: string,
  options: { state?: DeliveryState | undefined; limit: number; after?: string | undefined },
): Promise<Delivery[]> {
  const { state, limit, after } = options;
  let query = db.selectFrom('webhook_deliveries').selectAll().where('endpoint_id', '=', endpointId);
  if (state !== undefined) query = query.where('state', '=', state);
  if (after !== undefined) {
    query = query.where(
      sql<boolean>`(created_at, id) < (
        select created_at, id from webhook_deliveries where endpoint_id = ${endpointId} and id = ${after})`,
    );
  }
  const rows = await mapped(() => query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute());
  return rows.map(deliveryOf);
}

/** Forgets what was sent, or given up, before. @returns how many */
export async function pruneDeliveries(db: Database, before: Date): Promise<number> {
  const query = db.deleteFrom('webhook_deliveries').where('created_at', '<', before).where('state', '<>', 'pending');
  return Number((await mapped(() => query.executeTakeFirst())).numDeletedRows);
}

const deliveryOf = (row: Selectable<Tables['webhook_deliveries']>): Delivery => ({
  id: row.id,
  endpointId: row.endpoint_id,
  eventId: row.event_id,
  type: row.type,
  event: row.payload as unknown as WebhookEvent,
  state: row.state,
  attempts: row.attempts,
  lastStatus: row.last_status,
  lastError: row.last_error,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
