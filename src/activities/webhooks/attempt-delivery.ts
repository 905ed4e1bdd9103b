/** One attempt to tell one endpoint of one event. */
import { changeEndpoint } from '../../catalogue/webhook-endpoints.js';
import { abandon, findDue, recordAttempt } from '../../catalogue/webhooks.js';
import type { DeliveryOutcome } from '../../contracts/webhooks.js';
import type { ActivityContext } from '../context.js';
import { activity, assertAlive, type ActivityScope } from '../scope.js';
import { post } from './post.js';
import { signatureHeaders } from './sign.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'db'>;

/** RFC 9110: it is gone for good. Standard Webhooks: then it is to be disabled. */
const GONE = 410;

export function createAttemptDelivery({ config, logger, db }: Needs) {
  const attempt = async ({ signal, logger: log }: ActivityScope, deliveryId: string): Promise<DeliveryOutcome> => {
    const delivery = await findDue(db, deliveryId);
    if (!delivery) return { outcome: 'over' };
    // An attempt whose report got lost.
    if (delivery.state === 'delivered') return { outcome: 'delivered' };
    if (!delivery.enabled) {
      await abandon(db, deliveryId, 'The endpoint is disabled.');
      return { outcome: 'over' };
    }
    const body = JSON.stringify(delivery.event);
    const headers = {
      ...signatureHeaders(delivery.eventId, body, delivery.secrets, new Date()),
      'content-type': 'application/json',
      'user-agent': 'mediamill-webhooks',
    };
    assertAlive();
    const allowPrivate = config.webhooks.allowPrivate === 'on';
    const { status, retryAfter, error } = await post(new URL(delivery.url), headers, body, { allowPrivate, signal });
    const isGone = status === GONE;
    const state = error === undefined ? 'delivered' : isGone ? 'failed' : 'pending';
    await recordAttempt(db, deliveryId, { state, status, error });
    log.info(`webhook ${state}`, { deliveryId, endpointId: delivery.endpointId, status, reason: error });
    if (isGone) await changeEndpoint(db, delivery.tenant, delivery.endpointId, { enabled: false });
    if (state === 'pending') return { outcome: 'refused', retryAfter };
    return { outcome: isGone ? 'over' : 'delivered' };
  };
  return activity(logger, attempt, { neverGivesUp: true });
}

export function createGiveUpDelivery({ logger, db }: Needs) {
  const giveUp = async ({ logger: log }: ActivityScope, deliveryId: string): Promise<void> => {
    await abandon(db, deliveryId);
    log.warn('webhook given up', { deliveryId });
  };
  return activity(logger, giveUp, { neverGivesUp: true });
}
