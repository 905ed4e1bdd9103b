/** Rows of kind `webhook`: a workflow for each delivery. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

import { webhookIdOf } from '../../contracts/ids.js';
import { SEARCH_ATTRIBUTES, SERVICE_WORKFLOW_TYPES } from '../../contracts/names.js';
import type { OutboxPayloads } from '../../contracts/outbox.js';
import type { DeliveryRequest } from '../../contracts/webhooks.js';
import type { RelayContext } from './relay.js';

/** Milliseconds. */
const START_DEADLINE = 10_000;
const TENANT = defineSearchAttributeKey(SEARCH_ATTRIBUTES.tenant, SearchAttributeType.KEYWORD);

export async function relayWebhook(
  { config, temporal }: Pick<RelayContext, 'config' | 'temporal'>,
  { deliveryId, tenant }: OutboxPayloads['webhook'],
): Promise<void> {
  const request: DeliveryRequest = { deliveryId, tenant, retrySeconds: config.webhooks.retryHours * 3600 };
  const start = (): Promise<unknown> =>
    temporal.workflow.start(SERVICE_WORKFLOW_TYPES.webhook, {
      workflowId: webhookIdOf(deliveryId),
      taskQueue: config.queues.media,
      args: [request, config.queues],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      typedSearchAttributes: [{ key: TENANT, value: tenant }],
      staticSummary: 'webhook',
    });
  try {
    await temporal.withDeadline(Date.now() + START_DEADLINE, start);
  } catch (error) {
    // Sent before, by a relay that died before it removed the row.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
