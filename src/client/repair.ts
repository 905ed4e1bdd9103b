/** Has a published asset verified, and what is missing or at fault made again. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

import type { RepairRequest } from '../contracts/activities.js';
import { repairIdOf } from '../contracts/ids.js';
import { SEARCH_ATTRIBUTES, WORKFLOW_TYPES, type QueueNames } from '../contracts/names.js';

const TENANT = defineSearchAttributeKey(SEARCH_ATTRIBUTES.tenant, SearchAttributeType.KEYWORD);

/**
 * @param workflowId of the workflow that made the asset
 * @returns the repair that runs: the one that was asked for before, if it has not ended
 */
export function repair(
  client: Client,
  workflowId: string,
  request: RepairRequest,
  queues: QueueNames,
): Promise<WorkflowHandle> {
  return client.workflow.start(WORKFLOW_TYPES.repair, {
    workflowId: repairIdOf(workflowId),
    taskQueue: queues.media,
    args: [request, queues],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    typedSearchAttributes: [{ key: TENANT, value: request.tenant }],
    staticSummary: `repair · ${request.renditions?.join(' ') ?? 'everything'}`,
  });
}
