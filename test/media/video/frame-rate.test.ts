import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { outputFrameRate, toNumber } from '../../../src/media/video/frame-rate.js';

const text = (source: number, max = 60): string => {
  const { num, den } = outputFrameRate(source, max);
  return den === 1 ? `${num}` : `${num}/${den}`;
};

describe('outputFrameRate', () => {
  test.each([
    [24, '24'],
    [24_000 / 1001, '24000/1001'],
    [25, '25'],
    [29.97, '30000/1001'],
    [29.99, '30'],
    [30, '30'],
    [50, '50'],
    [59.94, '60000/1001'],
    [60, '60'],
    // Whole multiples
    [15, '30'],
    [14.985, '30000/1001'],
    [12.5, '25'],
    [10, '30'],
    [1, '24'],
    [16, '48'],
    // No whole multiple: nothing dropped
    [8.797, '24'],
    [26, '30'],
    [40, '48'],
    // Above the cap: every n-th frame
    [120, '60'],
    [119.88, '60000/1001'],
    [100, '50'],
    [90, '30'],
    [70, '60'],
    [1000, '50'],
  ])('%s -> %s', (source, expected) => {
    expect(text(source)).toBe(expected);
  });

  test('a cap is kept', () => {
    expect(text(60, 30)).toBe('30');
    expect(text(50, 30)).toBe('25');
    expect(text(25, 10)).toBe('10');
  });

  test('never above the cap, and no frame dropped below it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 300, noNaN: true }), fc.integer({ min: 1, max: 120 }), (source, max) => {
        const fps = toNumber(outputFrameRate(source, max));
        expect(fps).toBeLessThanOrEqual(max);
        if (source <= Math.min(60, max) && max >= 24 && Number.isInteger(max / 30))
          expect(fps).toBeGreaterThanOrEqual(source * 0.98);
      }),
    );
  });
});
