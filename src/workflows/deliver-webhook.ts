import { proxyActivities, sleep } from '@temporalio/workflow';

import { DEFAULT_QUEUES, type QueueNames } from '../contracts/names.js';
import {
  waitAfter,
  type DeliveryOutcome,
  type DeliveryRequest,
  type DeliverySummary,
  type WebhookActivities,
} from '../contracts/webhooks.js';
import { policies } from './policies.js';

/**
 * One event to one receiver, tried ever more rarely until it is taken or its time is over. The last attempt is made
 * when the time is over, not before.
 */
export async function deliverWebhook(
  { deliveryId, tenant, retrySeconds }: DeliveryRequest,
  queues: QueueNames = DEFAULT_QUEUES,
): Promise<DeliverySummary> {
  const setting = { tenant, priority: 3, queues } as const;
  const webhooks = proxyActivities<WebhookActivities>(policies.webhook(setting));
  const deadline = Date.now() + retrySeconds * 1000;

  for (let attempts = 1; ; attempts += 1) {
    const answer: DeliveryOutcome = await webhooks.attemptDelivery(deliveryId);
    if (answer.outcome !== 'refused') return { outcome: answer.outcome, attempts };
    const left = deadline - Date.now();
    if (left <= 0) {
      await webhooks.giveUpDelivery(deliveryId);
      return { outcome: 'failed', attempts };
    }
    await sleep(Math.min(left, waitAfter(attempts, answer.retryAfter, Math.random()) * 1000));
  }
}
