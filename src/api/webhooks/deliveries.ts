/** What was sent to a webhook, and how to have it sent again. */
import { listDeliveries, replay, sendTo, type DeliveryState } from '../../catalogue/webhooks.js';
import { TEST_EVENT_TYPE } from '../../contracts/webhooks.js';
import type { Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problems.js';
import { endpointOf } from './endpoints.js';
import { deliveryOf, type WebhookDelivery } from './resource.js';

type Needs = Pick<ApiContext, 'db' | 'wake'>;

/** Of one request for a replay. */
const MOST_REPLAYED = 10_000;

export interface DeliveryPage {
  readonly items: WebhookDelivery[];
  /** Cursor of the next page. */
  readonly next?: string | undefined;
}

/** Newest first. @param options `cursor`: of the page before */
export async function webhookDeliveries(
  { db }: Needs,
  caller: Caller,
  webhookId: string,
  { limit, state, cursor }: { limit: number; state?: DeliveryState | undefined; cursor?: string | undefined },
): Promise<DeliveryPage> {
  await endpointOf({ db }, caller, webhookId);
  const found = await listDeliveries(db, webhookId, { state, limit: limit + 1, after: cursor });
  const items = found.slice(0, limit).map(deliveryOf);
  return { items, next: found.length > limit ? items.at(-1)?.id : undefined };
}

/** @returns the delivery's id */
export async function sendTest({ db, wake }: Needs, caller: Caller, webhookId: string): Promise<string> {
  const endpoint = await endpointOf({ db }, caller, webhookId);
  if (!endpoint.enabled) throw disabled();
  const event = { type: TEST_EVENT_TYPE, timestamp: new Date().toISOString(), data: {} } as const;
  const id = await sendTo(db, endpoint, event);
  wake();
  return id;
}

/** @returns the new delivery's id */
export async function replayOne(
  { db, wake }: Needs,
  caller: Caller,
  webhookId: string,
  deliveryId: string,
): Promise<string> {
  const endpoint = await endpointOf({ db }, caller, webhookId);
  if (!endpoint.enabled) throw disabled();
  const [id] = await replay(db, endpoint, { deliveryId });
  if (id === undefined) throw new ApiProblem('not-found', { detail: 'There is no such delivery.' });
  wake();
  return id;
}

/**
 * Everything since a time, oldest first: for a receiver that was away, or lost what it had been sent.
 *
 * @returns how many; at most 10,000, then ask again from the time of the last
 */
export async function replaySince(
  { db, wake }: Needs,
  caller: Caller,
  webhookId: string,
  { since, until, states }: { since: Date; until: Date; states: readonly DeliveryState[] },
): Promise<number> {
  const endpoint = await endpointOf({ db }, caller, webhookId);
  if (!endpoint.enabled) throw disabled();
  const ids = await replay(db, endpoint, { since, until, states, most: MOST_REPLAYED });
  wake();
  return ids.length;
}

const disabled = (): ApiProblem => new ApiProblem('conflict', { detail: 'This webhook is disabled.' });
