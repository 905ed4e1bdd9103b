import { isCancellation, log, proxyActivities } from '@temporalio/workflow';

import type { Counts, HousekeepingActivities } from '../contracts/lifecycle.js';
import { DEFAULT_QUEUES, type QueueNames } from '../contracts/names.js';
import { policies } from './policies.js';

const STEPS = ['sweepUploads', 'sweepAssets', 'applyRetention', 'sweepStore'] as const;

/** Started by a schedule, again and again. One step that can't be done keeps none of the others from being done. */
export async function housekeeping(queues: QueueNames = DEFAULT_QUEUES): Promise<Readonly<Record<string, Counts>>> {
  const done: Record<string, Counts> = {};
  let failure: Error | undefined;
  for (const step of STEPS) {
    const activities = proxyActivities<HousekeepingActivities>(policies.housekeeping(queues, step));
    try {
      done[step] = await activities[step]();
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.error('housekeeping failed', { step, error });
      failure ??= error as Error;
    }
  }
  if (failure) throw failure;
  return done;
}
