/** The exercise as a workflow: its time is the server's. */
import { sleep } from '@temporalio/workflow';

import { runOnce, type Outcome, type Run } from './run.js';

/**
 * The run is played so much slower. The server's clock jumps while there is nothing to do, and goes on while a task is
 * worked on: what this machine takes for that, busy as it may be, then counts as little as this.
 */
const SLOW_MOTION = 20;

export async function supplyChain(run: Run): Promise<Outcome> {
  const start = Date.now();
  return runOnce(
    {
      now: () => (Date.now() - start) / 1000 / SLOW_MOTION,
      // A timer of no time at all would be one of Temporal's errors.
      sleep: (seconds) => sleep(Math.max(1, Math.round(seconds * 1000 * SLOW_MOTION))),
    },
    run,
  );
}
