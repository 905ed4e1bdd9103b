import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { bestWithin, firstWithin } from '../../../src/tools/images/budget.js';

const TRIES = 6;

/** An encoder whose sizes are known, and which qualities it was asked for. */
function encoder(sizeOf: (quality: number) => number) {
  const asked: number[] = [];
  return {
    asked,
    encode: (quality: number) => {
      asked.push(quality);
      return Promise.resolve({ length: Math.round(sizeOf(quality)), quality });
    },
  };
}

/** As photographs behave. */
const photo = (quality: number): number => 4000 * 2 ** (quality / 18);

describe('within a budget', () => {
  test('what fits at once is encoded once', async () => {
    const { asked, encode } = encoder(photo);
    expect(await bestWithin(1e6, 80, encode, TRIES)).toMatchObject({ quality: 80 });
    expect(asked).toEqual([80]);
  });

  test('the best quality that fits is nearly found, in a handful of encodes', async () => {
    for (const budget of [8000, 20_000, 50_000, 80_000]) {
      const { asked, encode } = encoder(photo);
      const { length, quality } = await bestWithin(budget, 80, encode, TRIES);
      expect(length).toBeLessThanOrEqual(budget);
      expect(photo(quality + 3)).toBeGreaterThan(budget);
      expect(asked.length).toBeLessThanOrEqual(5);
    }
  });

  test('where nothing fits, it is the smallest of all', async () => {
    const { asked, encode } = encoder(photo);
    expect(await bestWithin(100, 80, encode, TRIES)).toMatchObject({ quality: 1 });
    expect(asked.length).toBeLessThanOrEqual(7);
  });

  test('nothing above the budget is taken where anything is known to fit, whatever the encoder does', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 100, maxLength: 100 });
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 6 }),
        async (of, quality, budget, tries) => {
          const rising = of.toSorted((a, b) => a - b);
          const { asked, encode } = encoder((at) => rising[at - 1]!);
          const best = await bestWithin(budget, quality, encode, tries);
          if (rising[0]! <= budget) expect(best.length).toBeLessThanOrEqual(budget);
          else expect(best.length).toBe(rising[0]);
          expect(Math.max(...asked)).toBe(quality);
          expect(new Set(asked).size).toBe(asked.length);
          expect(asked.length).toBeLessThanOrEqual(1 + tries);
        },
      ),
    );
  });
});

test('of given steps the first that fits is taken, the last where none does', async () => {
  for (const [budget, expected] of [
    [1e6, [9]],
    [6000, [9, 5]],
    [10, [9, 5, 1]],
  ] as const) {
    const { asked, encode } = encoder((quality) => quality * 1000);
    expect(await firstWithin(budget, [9, 5, 1], encode)).toMatchObject({ quality: expected.at(-1) });
    expect(asked).toEqual(expected);
  }
});
