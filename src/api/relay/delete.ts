/** From a tombstone to the workflow that removes what lies below it. */
import { deletionIdOf, type DeleteRequest } from '../../contracts/lifecycle.js';
import { SERVICE_WORKFLOW_TYPES } from '../../contracts/names.js';
import type { OutboxPayloads } from '../../contracts/outbox.js';
import type { RelayContext } from './relay.js';

/** One request to Temporal, all its retries included. Milliseconds. */
const START_DEADLINE = 4_000;

export async function relayDelete(
  { config, temporal }: RelayContext,
  { assetId, tenant }: OutboxPayloads['delete'],
): Promise<void> {
  const request: DeleteRequest = { assetId, tenant };
  await temporal.withDeadline(Date.now() + START_DEADLINE, () =>
    temporal.workflow.start(SERVICE_WORKFLOW_TYPES.delete, {
      workflowId: deletionIdOf(assetId),
      taskQueue: config.queues.media,
      args: [request, config.queues],
      workflowIdConflictPolicy: 'USE_EXISTING',
      // The sweeper asks again where one ended without having removed everything.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `delete · ${assetId}`,
    }),
  );
}
