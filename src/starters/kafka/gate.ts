/** Back-pressure: how many workflows may be open before consumption pauses. */

export interface Gate {
  /** Takes a place for one start. False: all places are taken, ask again after a pause. */
  enter(): Promise<boolean>;
  /** Gives a place back: nothing was started after all. */
  leave(): void;
}

/** A start that Temporal's visibility store may not show yet. It lags by milliseconds, under load by more. */
const VISIBILITY_LAG = 2_000;

/**
 * A soft limit: what other starters have begun since the last count is not known here. It is there to
 * keep a flood in Kafka, which is made for that, instead of in Temporal.
 *
 * @param max 0: no limit
 * @param countOpen asks Temporal; may reject
 */
export function createGate(max: number, countOpen: () => Promise<number>, now: () => number = Date.now): Gate {
  if (max === 0) return { enter: () => Promise.resolve(true), leave: () => undefined };
  let open = 0;
  /** When this starter's own starts were, as far as the last count may have missed them. */
  let own: number[] = [];
  let countedAt = -Infinity;
  let counting: Promise<void> | undefined;

  const count = async (): Promise<void> => {
    const asked = now();
    open = await countOpen();
    own = own.filter((startedAt) => startedAt > asked - VISIBILITY_LAG);
    countedAt = asked;
  };
  const refresh = (): Promise<void> => (counting ??= count().finally(() => (counting = undefined)));
  const taken = (): number => open + own.length;
  // Far from the limit a count is good for longer: it costs the visibility store a scan.
  const maxAge = (): number => (taken() < max / 2 ? 5_000 : 500);

  return {
    async enter() {
      if (now() - countedAt > maxAge()) await refresh();
      if (taken() >= max) return false;
      own.push(now());
      return true;
    },
    leave() {
      own.pop();
    },
  };
}
