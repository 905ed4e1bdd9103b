/** An embargo, to the second: whatever there is to do before the switch is done, and then the switch waits for its time. */
import { setTimeout as sleep } from 'node:timers/promises';

import { embargoOf } from '../../catalogue/deadlines.js';
import type { Job } from '../../contracts/assets.js';
import { heldBackFor } from '../../contracts/deadlines.js';
import type { ActivityContext } from '../context.js';
import type { ActivityScope } from '../scope.js';

/** So soon a change of the embargo is heard. Milliseconds. */
const LOOK_AGAIN = 1_000;

/**
 * The workflow waits for all but the last seconds: they are what this step does until here.
 *
 * @returns whether it had to wait
 */
export async function holdBack(
  { db }: Pick<ActivityContext, 'db'>,
  { signal }: Pick<ActivityScope, 'signal'>,
  { assetId }: Job,
): Promise<boolean> {
  for (let held = false; ; held = true) {
    const left = heldBackFor(await embargoOf(db, assetId), Date.now());
    if (left === 0) return held;
    await sleep(Math.min(left, LOOK_AGAIN), undefined, { signal });
  }
}
