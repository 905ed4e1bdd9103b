/**
 * Items like those of the exercise, from a seed. How their slack is spread decides what a policy can reach: the shares
 * below are those at which the three old designs publish what they were reported to publish.
 */
import { randomFrom } from '../random.js';

/** Seconds. */
export interface Item {
  readonly id: string;
  /** After the first one. */
  readonly arrival: number;
  readonly encodingTime: number;
  /** From the start of encoding until it must be published. */
  readonly publicationTimeout: number;
}

/** One kind of items; ranges are [least, most]. Slack: what is left of the timeout when encoding has ended. */
interface Kind {
  readonly count: number;
  readonly encoding: readonly [number, number];
  readonly slack: readonly [number, number];
}

const KINDS: readonly Kind[] = [
  { count: 30, encoding: [0.04, 0.06], slack: [0.14, 0.18] },
  { count: 63, encoding: [6.5, 7.5], slack: [0.2, 0.3] },
  { count: 18, encoding: [3, 6], slack: [4.3, 5.2] },
  { count: 43, encoding: [3, 6], slack: [6.5, 20] },
];

export const ITEMS = KINDS.reduce((sum, { count }) => sum + count, 0);

/** @param rate items per second; @param hopeless how many of them nobody can publish in time */
export function makeItems(seed: number, { rate, hopeless = 0 }: { rate: number; hopeless?: number }): Item[] {
  const random = randomFrom(seed);
  const within = ([least, most]: readonly [number, number]) => least + random() * (most - least);
  // Each kind comes evenly among the others, not to the second.
  const kinds = KINDS.flatMap((kind) =>
    Array.from({ length: kind.count }, (_, index) => ({ ...kind, place: (index + random()) / kind.count })),
  ).sort((a, b) => a.place - b.place);
  const items = kinds.map((kind, index) => {
    const encodingTime = rounded(within(kind.encoding));
    const publicationTimeout = rounded(encodingTime + within(kind.slack));
    return { id: `${seed}-${index + 1}`, arrival: index / rate, encodingTime, publicationTimeout };
  });
  // Their order is random already.
  return items.map((item, index) => {
    const isHopeless = Math.floor(((index + 1) * hopeless) / ITEMS) > Math.floor((index * hopeless) / ITEMS);
    return isHopeless ? { ...item, publicationTimeout: rounded(item.encodingTime / 2) } : item;
  });
}

/** The items as lines for `mediamill ingest`. @param more seconds to add to each limit */
export const linesOf = (seed: number, { more }: { more: number }): string[] =>
  makeItems(seed, { rate: 1 }).map(({ id, encodingTime, publicationTimeout }) =>
    JSON.stringify({ id, encodingTime, publicationTimeout: rounded(publicationTimeout + more) }),
  );

/** Milliseconds: what a line of the ingest client is written in. */
const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000;
