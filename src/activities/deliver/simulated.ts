/** A target that is nobody: publishers that take time to start, for exercises and tests. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { SimulatedTarget } from '../../contracts/targets.js';
import type { Target } from './target.js';

export function createSimulated(
  { startSeconds, publishSeconds = 0, reusable = false, min = 0, max }: SimulatedTarget,
  defaultMax: number,
): Target {
  return {
    kind: 'simulated',
    rules: { min, max: max ?? defaultMax, startSeconds, reusable },
    async start(signal) {
      await sleep(Math.random() * startSeconds * 1000, undefined, { signal });
      return {
        publish: async (_parcel, during) => {
          await sleep(publishSeconds * 1000, undefined, { signal: during });
        },
      };
    },
  };
}
