/** An item of an ingest that is a real file: its asset is made as any other. */
import {
  ParentClosePolicy,
  proxyActivities,
  startChild,
  type ChildWorkflowHandle,
  type Workflow,
} from '@temporalio/workflow';
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';

import type { IngestActivities, IngestItem, IngestWork, ItemOutcome } from '../contracts/ingest.js';
import { SEARCH_ATTRIBUTES, WORKFLOW_TYPES } from '../contracts/names.js';
import { policies, type Setting } from './policies.js';

type FileWork = IngestWork & { readonly kind: 'file' };

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const KIND = keyword(SEARCH_ATTRIBUTES.kind);
const STAGE = keyword(SEARCH_ATTRIBUTES.stage);
const TENANT = keyword(SEARCH_ATTRIBUTES.tenant);

export async function encodeFile(item: IngestItem, { job, media }: FileWork, setting: Setting): Promise<ItemOutcome> {
  const { awaitAsset } = proxyActivities<IngestActivities>(policies.light(setting, 'wait for its asset'));
  const child = await begin({ kind: 'file', job, media }, setting);
  // What it failed of is written down with the asset. Where somebody else began it, only the asset says when it has ended.
  if (child) await child.result().catch(() => undefined);
  const { publishedAt, ...outcome } = await awaitAsset(job.assetId, { isOver: child !== undefined });
  return { ...outcome, published: publishedAt !== undefined, publishedAt, wasAtRisk: outcome.wasAtRisk };
}

/** @returns undefined when its workflow has been begun by others */
async function begin(
  { job, media }: FileWork,
  { queues }: Setting,
): Promise<ChildWorkflowHandle<Workflow> | undefined> {
  try {
    return await startChild(media === 'image' ? WORKFLOW_TYPES.image : WORKFLOW_TYPES.video, {
      workflowId: job.workflowId,
      taskQueue: queues.media,
      args: [job, queues],
      // It outlives an item that somebody ends.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      typedSearchAttributes: [
        { key: KIND, value: media },
        { key: STAGE, value: 'waiting' },
        { key: TENANT, value: job.tenant },
      ],
      priority: { priorityKey: job.priority, fairnessKey: job.tenant.slice(0, 64) },
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}
