/** The best quality that stays within a number of bytes, in few encodes. */

interface Bytes {
  readonly length: number;
}

/** What is as close below the budget is taken: the next quality would hardly look different. */
const CLOSE = 0.95;

/**
 * Narrows down between what is known to fit and what is known not to, each time where the logarithm of the size,
 * which is nearly straight over the quality, meets the budget.
 *
 * @param quality the best that is wanted, 1-100
 * @param tries encodes beyond the first
 * @returns the best that fits; the smallest of all where none does
 */
export async function bestWithin<T extends Bytes>(
  maxBytes: number,
  quality: number,
  encode: (quality: number) => Promise<T>,
  tries: number,
): Promise<T> {
  let above = { quality, made: await encode(quality) };
  if (above.made.length <= maxBytes || quality <= 1) return above.made;
  let below: typeof above | undefined;
  for (let i = 0; i < tries; i++) {
    const tried = next(maxBytes, above, below);
    if (tried === undefined) break;
    // The lowest is tried last at the latest: whether anything fits must be known.
    const made = await encode(i === tries - 1 && !below ? 1 : tried);
    if (made.length > maxBytes) {
      if (tried === 1 || (i === tries - 1 && !below)) return made;
      above = { quality: tried, made };
    } else {
      below = { quality: tried, made };
      if (made.length >= maxBytes * CLOSE) break;
    }
  }
  return (below ?? above).made;
}

type Known = { readonly quality: number; readonly made: Bytes };

/** Of a photograph, so many steps of quality halve the size. */
const HALF = 25;

function next(maxBytes: number, above: Known, below: Known | undefined): number | undefined {
  const over = Math.log(above.made.length / maxBytes);
  const slope = below
    ? Math.log(above.made.length / below.made.length) / (above.quality - below.quality)
    : Math.log(2) / HALF;
  const guess = Math.floor(above.quality - over / Math.max(slope, 1e-6));
  const least = (below?.quality ?? 0) + 1;
  const most = above.quality - 1;
  return least > most ? undefined : Math.min(most, Math.max(least, guess));
}

/** @returns the first of the qualities that fits, the last where none does */
export async function firstWithin<T extends Bytes>(
  maxBytes: number,
  qualities: readonly number[],
  encode: (quality: number) => Promise<T>,
): Promise<T> {
  const [best, ...others] = qualities as readonly [number, ...number[]];
  let made = await encode(best);
  for (const quality of others) {
    if (made.length <= maxBytes) break;
    made = await encode(quality);
  }
  return made;
}
