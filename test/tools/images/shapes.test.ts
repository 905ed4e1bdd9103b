import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { baseSize, bestSource, cropAround } from '../../../src/tools/images/shapes.js';

const inside = (width: number, height: number) => ({ width, height, fit: 'inside' }) as const;
const cover = (width: number, height: number) => ({ width, height, fit: 'cover' }) as const;
const contain = (width: number, height: number) => ({ width, height, fit: 'contain' }) as const;

describe('the size to decode to', () => {
  test.each([
    ['the largest width exactly', [inside(320, 240), inside(1920, 1440), inside(640, 480)], [1920, 1440]],
    ['what a crop needs on its longer side', [inside(320, 240), cover(1000, 1000)], [1334, 1000]],
    ['what a padded one needs', [contain(800, 800)], [800, 600]],
    ['never more than there is', [cover(9000, 100), inside(10, 8)], [4000, 3000]],
    ['one pixel where nothing is asked for', [], [1, 1]],
  ] as const)('is %s', (_name, variants, [width, height]) => {
    expect(baseSize({ width: 4000, height: 3000 }, variants)).toEqual({ width, height });
  });

  test('is enough for every variant, or all that there is', () => {
    const side = fc.integer({ min: 1, max: 20_000 });
    const shape = fc.tuple(side, side).map(([width, height]) => cover(width, height));
    fc.assert(
      fc.property(side, side, fc.array(shape, { minLength: 1 }), (width, height, shapes) => {
        const base = baseSize({ width, height }, shapes);
        expect(base.width).toBeLessThanOrEqual(width);
        expect(base.height).toBeLessThanOrEqual(height);
        const enough = shapes.every((one) => base.width >= one.width && base.height >= one.height);
        expect(enough || (base.width === width && base.height === height)).toBe(true);
      }),
    );
  });
});

test('the source of a variant is the smallest of at least twice its size', () => {
  const sizes = [inside(1920, 1440), inside(1280, 960), inside(640, 480)];
  expect(bestSource(sizes, inside(320, 240)).width).toBe(640);
  expect(bestSource(sizes, inside(321, 241)).width).toBe(1280);
  expect(bestSource(sizes, inside(1280, 960)).width).toBe(1920);
  expect(bestSource(sizes, cover(100, 241)).width).toBe(1280);
});

describe('a crop around a point', () => {
  test.each([
    [
      { x: 0.5, y: 0.5 },
      { left: 100, top: 0, width: 200, height: 200 },
    ],
    [
      { x: 0, y: 0 },
      { left: 0, top: 0, width: 200, height: 200 },
    ],
    [
      { x: 1, y: 0.2 },
      { left: 200, top: 0, width: 200, height: 200 },
    ],
    [
      { x: 0.3, y: 0.9 },
      { left: 20, top: 0, width: 200, height: 200 },
    ],
  ])('%j', (focal, box) => {
    expect(cropAround(focal, { width: 400, height: 200 }, { width: 50, height: 50 })).toEqual(box);
  });

  test('lies in the picture, has its shape and is as large as can be', () => {
    const side = fc.integer({ min: 1, max: 5000 });
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(side, side, side, side, part, part, (width, height, w, h, x, y) => {
        const box = cropAround({ x, y }, { width, height }, { width: w, height: h });
        expect(box.left).toBeGreaterThanOrEqual(0);
        expect(box.top).toBeGreaterThanOrEqual(0);
        expect(box.left + box.width).toBeLessThanOrEqual(width);
        expect(box.top + box.height).toBeLessThanOrEqual(height);
        expect(box.width === width || box.height === height).toBe(true);
        for (const value of Object.values(box)) expect(Number.isInteger(value)).toBe(true);
      }),
    );
  });
});
