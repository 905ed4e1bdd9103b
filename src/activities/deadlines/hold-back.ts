/** An embargo, to the second: whatever there is to do before the switch is done, and then the switch waits for its time. */
import { setTimeout as sleep } from 'node:timers/promises';

import { embargoOf } from '../../catalogue/deadlines.js';
import type { Job } from '../../contracts/assets.js';
import { heldBackFor } from '../../contracts/deadlines.js';
import type { ActivityContext } from '../context.js';
import { waitingFailure } from '../failures.js';
import type { ActivityScope } from '../scope.js';

/** So soon a change of the embargo is heard. Milliseconds. */
const LOOK_AGAIN = 1_000;
/** Of the time that the step may take. What is longer is more than the workflow leaves over: it was changed since. */
const PATIENCE = 0.5;
/** What the next attempt has for its work. Milliseconds. */
const LEAD = 15_000;

/**
 * The workflow waits for all but the last seconds: they are what this step does until here.
 *
 * @returns whether it had to wait
 * @throws ApplicationFailure to be tried again, when it takes long: others need the place
 */
export async function holdBack(
  { db }: Pick<ActivityContext, 'db'>,
  { signal, info }: Pick<ActivityScope, 'signal' | 'info'>,
  { assetId }: Job,
): Promise<boolean> {
  for (let held = false; ; held = true) {
    const left = heldBackFor(await embargoOf(db, assetId), Date.now());
    if (left === 0) return held;
    if (left > info.startToCloseTimeoutMs * PATIENCE)
      throw waitingFailure('held back', Math.max(1, (left - LEAD) / 1000));
    await sleep(Math.min(left, LOOK_AGAIN), undefined, { signal });
  }
}
