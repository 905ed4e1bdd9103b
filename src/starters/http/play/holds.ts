/** Requests that wait for something that is not there yet. All that wait for one thing share one look. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem } from '../../../api/problems.js';

/** A segment takes a second to make; a tenth of that is not felt, and a look costs a millisecond. */
const LOOK_MS = 75;

/** Resolves with undefined while it is not there; rejects when it never will be. */
export type Look<T> = () => Promise<T | undefined>;

interface Watch {
  waiting: number;
  found: Promise<unknown>;
}

export class Holds {
  readonly #watches = new Map<string, Watch>();
  #held = 0;
  readonly #stops = new Set<() => void>();

  constructor(
    private readonly seconds: number,
    private readonly max: number,
  ) {}

  /**
   * @param id names what `look` looks for
   * @param gone aborted when nobody waits for the answer any more
   * @param missed called when it is not there at the first look; what it returns is called at the end
   * @throws ApiProblem `not-made-yet` after the bound, `busy` when too many wait; what `look` rejects with
   */
  async until<T>(id: string, look: Look<T>, gone: AbortSignal, missed: () => () => void = () => () => {}): Promise<T> {
    // By hand: in Node 20 a signal of `AbortSignal.any` can be collected as garbage before it fires.
    const over = new AbortController();
    const stop = (): void => over.abort();
    const timer = setTimeout(stop, this.seconds * 1000);
    if (gone.aborted) stop();
    gone.addEventListener('abort', stop, { once: true });
    this.#stops.add(stop);
    try {
      return await bounded(over.signal, () => this.#lookOrWait(id, look, over.signal, missed));
    } finally {
      clearTimeout(timer);
      gone.removeEventListener('abort', stop);
      this.#stops.delete(stop);
      // Leaves its watch.
      stop();
    }
  }

  async #lookOrWait<T>(id: string, look: Look<T>, signal: AbortSignal, missed: () => () => void): Promise<T> {
    // What is there is never refused, however many wait for something else.
    const found = await look();
    if (found !== undefined || signal.aborted) return found as T;
    if (this.#held >= this.max) throw new ApiProblem('busy', { retryAfter: 2 });
    this.#held += 1;
    const over = missed();
    try {
      return await bounded(signal, () => this.#watch(id, look, signal));
    } finally {
      over();
      this.#held -= 1;
    }
  }

  /** Answers all that wait. */
  close(): void {
    for (const stop of this.#stops) stop();
  }

  #watch<T>(id: string, look: Look<T>, signal: AbortSignal): Promise<T> {
    const watch = this.#watches.get(id) ?? this.#begin(id, look);
    watch.waiting += 1;
    signal.addEventListener(
      'abort',
      () => {
        watch.waiting -= 1;
        // Not for the next one to join: it ends.
        if (watch.waiting === 0) this.#end(id, watch);
      },
      { once: true },
    );
    return watch.found as Promise<T>;
  }

  #begin(id: string, look: Look<unknown>): Watch {
    const watch: Watch = { waiting: 0, found: Promise.resolve() };
    watch.found = keepLooking(look, () => watch.waiting > 0).finally(() => this.#end(id, watch));
    // Whoever waits hears of it; the last one may have left.
    watch.found.catch(() => undefined);
    this.#watches.set(id, watch);
    return watch;
  }

  #end(id: string, watch: Watch): void {
    if (this.#watches.get(id) === watch) this.#watches.delete(id);
  }
}

async function keepLooking<T>(look: Look<T>, wanted: () => boolean): Promise<T | undefined> {
  for (;;) {
    await sleep(LOOK_MS);
    if (!wanted()) return undefined;
    const found = await look();
    if (found !== undefined) return found;
  }
}

async function bounded<T>(signal: AbortSignal, use: () => Promise<T>): Promise<T> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new ApiProblem('not-made-yet', { retryAfter: 1 }));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([use(), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
