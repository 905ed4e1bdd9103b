/** The schedule by which old things are removed and lost ones found. */
import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy, type Client } from '@temporalio/client';

import { SERVICE_WORKFLOW_TYPES, type QueueNames } from '../contracts/names.js';

/** One for each set of queues: others that share a Temporal namespace have their own. */
export const housekeepingIdOf = ({ media }: Pick<QueueNames, 'media'>): string => `housekeeping/${media}`;

/**
 * Makes the schedule as it should be, or removes it. Any number of processes may do so at once.
 *
 * @param minutes from one run to the next; 0: never. One that takes longer is not overtaken.
 */
export async function ensureHousekeeping(client: Client, queues: QueueNames, minutes: number): Promise<void> {
  const scheduleId = housekeepingIdOf(queues);
  const handle = client.schedule.getHandle(scheduleId);
  if (minutes === 0) {
    return handle.delete().catch((error: unknown) => {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    });
  }
  const spec = { intervals: [{ every: `${minutes}m` as const }] };
  const action = {
    type: 'startWorkflow' as const,
    workflowType: SERVICE_WORKFLOW_TYPES.housekeeping,
    workflowId: scheduleId,
    taskQueue: queues.media,
    args: [queues],
  };
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' as const };
  try {
    await client.schedule.create({ scheduleId, spec, action, policies });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    // Somebody may have paused it: that stays.
    await handle.update((now) => ({ ...now, spec, action, policies }));
  }
}
