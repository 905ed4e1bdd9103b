/** Tells a workflow what viewers wait for. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';

import { SIGNAL_WANTED, type WantedSegment } from '../contracts/progress.js';

/**
 * The workflow makes the segment as soon as it can, if it is not there. Cheap, and safe to repeat; yet
 * each call is an event in its history: ask once for one segment, not once for each viewer.
 *
 * @returns false when no such workflow runs
 */
export async function wanted(client: Client, workflowId: string, wish: WantedSegment): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId).signal(SIGNAL_WANTED, wish);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
