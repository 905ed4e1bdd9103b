/** Asks again while a server is away. */
import { setTimeout as sleep } from 'node:timers/promises';

import { blame } from '../../kafka/blame.js';

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 3_000;

/**
 * @param say told why nothing happens, once for each outage
 * @throws what is no outage; the signal's reason when it is aborted; an Error with advice when an operator has to act
 */
export async function patiently<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  say: (text: string) => void,
  isOutage: (error: unknown) => boolean = (error) => blame(error).fault === 'outage',
): Promise<T> {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, 2 * pause)) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      const { fault, advice } = blame(error);
      if (fault === 'setup') throw new Error(advice, { cause: error });
      if (!isOutage(error)) throw error;
      if (pause === FIRST_PAUSE) say(`asking again: ${(error as Error).message}`);
      await sleep(pause, undefined, { signal });
    }
  }
}
