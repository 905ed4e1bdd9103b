/** The exercise as a workflow: its time is the server's. */
import { sleep } from '@temporalio/workflow';

import { runOnce, type Outcome, type Run } from './run.js';

export async function supplyChain(run: Run): Promise<Outcome> {
  const start = Date.now();
  return runOnce(
    {
      now: () => (Date.now() - start) / 1000,
      // A timer of no time at all would be one of Temporal's errors.
      sleep: (seconds) => sleep(Math.max(1, Math.round(seconds * 1000))),
    },
    run,
  );
}
