/** Whether everything that has a deadline can be made whole in time. Pure. */

/** What one asset needs of the machines. */
export interface Demand {
  /** Milliseconds since 1970. */
  readonly neededBy: number;
  /** What is left of its whole ladder (`projection.ts`). */
  readonly work: number;
}

export interface Machines {
  /** Work per second of one chunk, with others beside it. */
  readonly speed: number;
  /** Chunks at once, of all machines. */
  readonly slots: number;
}

const MS = 1000;
/** Of a slot, for what a video costs beside its encode: inspected, heard, pictured, verified, published. */
const EACH_SECONDS = 2;
/** Estimates are off by that much, and workers die. */
const SAFETY = 1.5;

/**
 * Whether somebody whose deadline is this one or a later one would be late if all that are needed before him, and he,
 * were made whole, the first needed first. Then everybody makes the least of it first, and the rest as time allows.
 *
 * @param demands in any order
 * @param mine milliseconds since 1970. What comes before it is for those who need it then
 */
export function isContended(
  demands: readonly Demand[],
  mine: number,
  { speed, slots }: Machines,
  now: number = Date.now(),
): boolean {
  let seconds = 0;
  for (const { neededBy, work } of demands.toSorted((a, b) => a.neededBy - b.neededBy)) {
    seconds += work / speed + EACH_SECONDS;
    if (neededBy >= mine && (seconds * SAFETY) / slots > (neededBy - now) / MS) return true;
  }
  return false;
}
