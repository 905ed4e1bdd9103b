/** Calls of one key, else of one address, in one minute. */
import { LRUCache } from 'lru-cache';

import type { Caller } from '../../api/caller.js';
import { ApiProblem } from '../../api/problems.js';

const WINDOW_MS = 60_000;
/** Callers that are counted at once; the one that was counted longest ago is forgotten first. */
const COUNTED = 100_000;

/** @param perMinute of keys without a limit of their own; 0: no limit */
export function rateLimit(perMinute: number): (caller: Caller, address: string) => void {
  const windows = new LRUCache<string, { calls: number; readonly endsAt: number }>({ max: COUNTED });
  return ({ keyId, limits }, address) => {
    const limit = limits.requestsPerMinute || perMinute;
    if (limit === 0) return;
    const who = keyId ?? address;
    let window = windows.get(who);
    if (!window || window.endsAt <= Date.now()) {
      window = { calls: 0, endsAt: Date.now() + WINDOW_MS };
      windows.set(who, window);
    }
    window.calls += 1;
    if (window.calls > limit) {
      const retryAfter = Math.max(1, Math.ceil((window.endsAt - Date.now()) / 1000));
      throw new ApiProblem('too-many-requests', { detail: `At most ${limit} in a minute.`, retryAfter });
    }
  };
}
