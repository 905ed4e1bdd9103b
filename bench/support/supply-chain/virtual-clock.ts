/** A clock that jumps to whatever is next: the same runs in milliseconds, without a server. */
import { setImmediate } from 'node:timers/promises';

import type { Clock } from './chain.js';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** What `work` answers; time passes while it does nothing but sleep. */
export async function inVirtualTime<T>(work: (clock: Clock) => Promise<T>): Promise<T> {
  let now = 0;
  let sleepers: Sleeper[] = [];
  const clock: Clock = {
    now: () => now,
    sleep: (seconds) => new Promise((wake) => void sleepers.push({ at: now + seconds, wake })),
  };
  let isDone = false;
  const result = work(clock).finally(() => (isDone = true));
  for (;;) {
    await setImmediate();
    if (isDone || sleepers.length === 0) break;
    const next = sleepers.reduce((first, other) => (other.at < first.at ? other : first));
    sleepers = sleepers.filter((sleeper) => sleeper !== next);
    now = next.at;
    next.wake();
  }
  return result;
}
