/** The least that an image could cost in Temporal: a workflow with one step. */
import { proxyActivities } from '@temporalio/workflow';

export async function noop(queue: string): Promise<void> {
  const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({
    taskQueue: queue,
    startToCloseTimeout: '1 minute',
  });
  await nothing();
}
