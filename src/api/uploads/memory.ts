/** Parts on their way to the store are in memory: so many streams at once, and further ones are told to come again. */
import { totalmem } from 'node:os';

import { ApiProblem } from '../problems.js';

const BUDGET = Math.min(1024 ** 3, totalmem() / 4);
/** Seconds. */
const RETRY = 5;

let held = 0;

/**
 * Takes room for a stream: the part that is filled and the one that is being sent.
 *
 * @param partBytes of a part
 * @param size bytes that come at most
 * @returns what gives it back, once
 * @throws ApiProblem `overloaded`
 */
export function reserve(partBytes: number, size: number): () => void {
  const bytes = Math.min(2 * partBytes, size);
  if (held + bytes > BUDGET) throw new ApiProblem('overloaded', { retryAfter: RETRY });
  held += bytes;
  let isHeld = true;
  return () => {
    if (isHeld) held -= bytes;
    isHeld = false;
  };
}
