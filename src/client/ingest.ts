/** Items of an ingest, asked of Temporal. */
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';

import {
  INGEST_WORKFLOW_TYPES,
  ingestPrefixOf,
  itemWorkflowIdOf,
  QUERY_LINE,
  SIGNAL_RESIZE,
  slotsWorkflowIdOf,
  type IngestItem,
  type ItemOutcome,
  type LineStatus,
} from '../contracts/ingest.js';
import type { QueueNames } from '../contracts/names.js';

/** One request with its retries; whoever asks tries again. Milliseconds. */
const DEADLINE = 4_000;

/** The same item is begun once, be it done or not, for as long as Temporal remembers it. */
export async function startItem(client: Client, item: IngestItem, queues: QueueNames): Promise<void> {
  try {
    await client.withDeadline(Date.now() + DEADLINE, () =>
      client.workflow.start(INGEST_WORKFLOW_TYPES.item, {
        workflowId: itemWorkflowIdOf(item),
        taskQueue: queues.media,
        args: [item, queues],
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        staticSummary: `${item.ingest} · ${item.id}`,
        priority: { priorityKey: item.priority, fairnessKey: item.tenant.slice(0, 64) },
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** So many encode at once from now on; of several clients of the same ingest, the last one's word counts. */
export async function setEncoders(client: Client, ingest: string, encoders: number, queues: QueueNames): Promise<void> {
  await client.withDeadline(Date.now() + DEADLINE, () =>
    client.workflow.signalWithStart(INGEST_WORKFLOW_TYPES.slots, {
      workflowId: slotsWorkflowIdOf(ingest),
      taskQueue: queues.media,
      args: [{ encoders, encoding: [], waiting: [] }],
      signal: SIGNAL_RESIZE,
      signalArgs: [encoders],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `${ingest} · places at the encoders`,
    }),
  );
}

export const lineStatus = (client: Client, ingest: string): Promise<LineStatus> =>
  client.withDeadline(Date.now() + DEADLINE, () =>
    client.workflow.getHandle(slotsWorkflowIdOf(ingest)).query<LineStatus>(QUERY_LINE),
  );

/** Ids of the items that were begun before; of the newest few, perhaps not all. */
export async function knownItems(client: Client, ingest: string): Promise<Set<string>> {
  const prefix = ingestPrefixOf(ingest);
  const known = new Set<string>();
  const query = `WorkflowType = '${INGEST_WORKFLOW_TYPES.item}' AND WorkflowId STARTS_WITH '${prefix}'`;
  for await (const { workflowId } of client.workflow.list({ query })) known.add(workflowId.slice(prefix.length));
  return known;
}

/** Waits for its end. @throws what Temporal's client throws: it failed, is not there, or can't be asked now */
export const itemOutcome = (client: Client, item: Pick<IngestItem, 'ingest' | 'id'>): Promise<ItemOutcome> =>
  client.workflow.getHandle(itemWorkflowIdOf(item)).result() as Promise<ItemOutcome>;
