/**
 * Whether everybody who was promised a publisher is sure to have one in time. Pure: the dispatcher of a
 * worker, workflows and benches ask the same question. All times are milliseconds of one clock.
 */

/** Who needs a publisher, and when. */
export interface Need {
  readonly id: string;
  /** Not before: its encode ends about then. */
  readonly from: number;
  /** Not after; `Infinity`: whenever. */
  readonly by: number;
}

/** Publishers at the worst: what has no other promise behind it. */
export interface Supply {
  /** When each is ready at the latest. One entry for each that there is or may be. */
  readonly readyAt: readonly number[];
  /** So long after its use at the latest, there is another one in its place. */
  readonly refillMs: number;
}

/**
 * Looks for a plan for the slowest of starts: whoever must have one first takes the place that is ready last, of those
 * that need not be waited for, else the one that is ready first. So who can wait takes nothing from who can't, and a
 * plan that there was is found again when publishers are ready earlier than feared.
 *
 * @returns whether all needs are met in time
 */
export function isSure({ readyAt, refillMs }: Supply, needs: readonly Need[], now: number): boolean {
  const slots = readyAt.map((at) => Math.max(at, now)).sort(ascending);
  const open = needs.map(({ from, by }) => ({ from: Math.max(from, now), by }));
  for (const { from, by } of open.sort((a, b) => ascending(a.by, b.by) || a.from - b.from)) {
    const first = slots[0];
    if (first === undefined || first > by) return false;
    const [at] = slots.splice(
      Math.max(
        0,
        slots.findLastIndex((ready) => ready <= from),
      ),
      1,
    ) as [number];
    insert(slots, Math.max(from, at) + refillMs);
  }
  return true;
}

/** Earliest limit first; of equal ones the first. */
export function leastSlack<T extends { readonly by: number }>(some: readonly T[]): T {
  return some.reduce((least, one) => (one.by < least.by ? one : least));
}

/** Knows `Infinity`, too. */
const ascending = (a: number, b: number): number => (a === b ? 0 : a - b);

function insert(sorted: number[], value: number): void {
  const at = sorted.findIndex((other) => other > value);
  sorted.splice(at < 0 ? sorted.length : at, 0, value);
}
