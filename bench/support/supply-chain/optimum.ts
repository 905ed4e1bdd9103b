/** What could have been done by somebody who knew everything before: each arrival, and what each start will take. */
import type { Settings } from './chain.js';
import type { Item } from './items.js';

export interface Optimum {
  /** Items that are published in time. No schedule has more: all others end after their limit however they begin. */
  readonly onTime: number;
  /** No schedule publishes the last one sooner. Seconds after the first arrival. */
  readonly soonest: number;
}

/**
 * Builds a schedule: in the order of arrival, each item takes the encoder and the place that are free first, and is
 * encoded so that it ends when its publisher is ready, or later. The limit counts from the start of encoding: who ends
 * within it is published within it.
 *
 * @param places publishers that start or are ready, at most
 */
export function optimumOf(
  items: readonly Item[],
  { encoders, startSeconds, places }: Settings & { readonly places: number },
  random: () => number,
): Optimum {
  const encoderFree = new Array<number>(encoders).fill(0);
  // Before the first item comes there is time to start.
  const placeFree = new Array<number>(places).fill(-startSeconds);
  const starts = items.map(() => random() * startSeconds);
  let onTime = 0;
  for (const [index, { arrival, encodingTime, publicationTimeout }] of items.entries()) {
    const encoder = earliest(encoderFree);
    const place = earliest(placeFree);
    const ready = placeFree[place]! + starts[index]!;
    const begin = Math.max(arrival, encoderFree[encoder]!, ready - encodingTime);
    encoderFree[encoder] = placeFree[place] = begin + encodingTime;
    if (encodingTime <= publicationTimeout) onTime += 1;
  }
  return {
    onTime,
    soonest: Math.max(
      ...items.map(({ arrival, encodingTime }) => arrival + encodingTime),
      sum(items.map(({ encodingTime }) => encodingTime)) / encoders,
      sum(starts) / places - startSeconds,
    ),
  };
}

const earliest = (instants: readonly number[]): number => instants.indexOf(Math.min(...instants));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
