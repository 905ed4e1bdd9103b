import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { planImage, planPoster } from '../../../src/media/image/plan.js';

const facts = (width: number, height: number, orientation = 1) => ({ width, height, orientation, format: 'jpeg' });
const sizes = (width: number, height: number, orientation = 1) =>
  planImage(facts(width, height, orientation), 'sharp').variants.map((v) => `${v.name} ${v.width}x${v.height}`);

describe('an image plan', () => {
  test('has the thumbnail and every width that the picture has, as WebP and JPEG', () => {
    expect(sizes(4000, 3000)).toEqual([
      'thumb.jpg 100x100',
      'w320.webp 320x240',
      'w320.jpg 320x240',
      'w640.webp 640x480',
      'w640.jpg 640x480',
      'w1280.webp 1280x960',
      'w1280.jpg 1280x960',
      'w1920.webp 1920x1440',
      'w1920.jpg 1920x1440',
    ]);
  });

  test('goes by the picture as displayed', () => {
    const plan = planImage(facts(1800, 1200, 6), 'sharp');
    expect(plan).toMatchObject({ width: 1200, height: 1800 });
    expect(plan.variants.at(-1)).toMatchObject({ name: 'w640.jpg', width: 640, height: 960 });
  });

  test('gives a picture narrower than the least width its own', () => {
    expect(sizes(127, 64)).toEqual(['thumb.jpg 100x100', 'w127.webp 127x64', 'w127.jpg 127x64']);
    expect(sizes(1, 1)).toEqual(['thumb.jpg 100x100', 'w1.webp 1x1', 'w1.jpg 1x1']);
  });

  test('leaves out what a format can not hold', () => {
    expect(sizes(640, 19_000)).toEqual([
      'thumb.jpg 100x100',
      'w320.webp 320x9500',
      'w320.jpg 320x9500',
      'w640.jpg 640x19000',
    ]);
  });

  test('never enlarges, keeps the shape, names each variant once', () => {
    const side = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 8 }), (width, height, orientation) => {
        const plan = planImage(facts(width, height, orientation), 'sharp');
        const scaled = plan.variants.filter(({ fit }) => fit === 'inside');
        expect(new Set(plan.variants.map(({ name }) => name)).size).toBe(plan.variants.length);
        expect(plan.variants[0]).toMatchObject({ name: 'thumb.jpg', width: 100, height: 100, fit: 'cover' });
        expect(scaled.some(({ format }) => format === 'jpeg')).toBe(true);
        for (const v of scaled) {
          expect(v.width).toBeLessThanOrEqual(plan.width);
          expect(v.height).toBeLessThanOrEqual(plan.height);
          expect(Math.abs(v.height - Math.max(1, (plan.height * v.width) / plan.width))).toBeLessThanOrEqual(0.5);
        }
      }),
    );
  });
});

describe('a poster plan', () => {
  const names = (width: number, height: number) =>
    planPoster(facts(width, height)).map((v) => `${v.type} ${v.name} ${v.width}x${v.height}`);

  test('has one of at most 1280 and a small one', () => {
    expect(names(1920, 1080)).toEqual([
      'poster poster.jpg 1280x720',
      'poster poster-640.webp 640x360',
      'poster poster-640.jpg 640x360',
    ]);
  });

  test('never enlarges', () => {
    expect(names(320, 180)).toEqual([
      'poster poster.jpg 320x180',
      'poster poster-320.webp 320x180',
      'poster poster-320.jpg 320x180',
    ]);
  });
});
