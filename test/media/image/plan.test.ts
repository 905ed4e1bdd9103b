import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { loadProfiles } from '../../../src/config/index.js';
import type { ImageSpec } from '../../../src/contracts/profile.js';
import { planImage, planPoster, type PictureFacts } from '../../../src/media/image/plan.js';

const DEFAULT = loadProfiles('').get('default').image;
const spec = (changes: Partial<ImageSpec>): ImageSpec => ({ ...DEFAULT, ...changes });
const facts = (width: number, height: number, more: Partial<PictureFacts> = {}): PictureFacts => ({
  ...{ width, height, orientation: 1, format: 'jpeg', hasAlpha: false, pages: 1 },
  ...more,
});
const plan = (
  width: number,
  height: number,
  changes: Partial<ImageSpec> = {},
  more: Partial<PictureFacts> = {},
  focal?: { x: number; y: number },
) => planImage(facts(width, height, more), 'sharp', spec(changes), focal);
const sizes = (...args: Parameters<typeof plan>) =>
  plan(...args).variants.map((v) => `${v.name} ${v.width}x${v.height}`);

describe('an image plan', () => {
  test('has the thumbnail and every width of the profile in every format', () => {
    expect(sizes(4000, 3000, { widths: [320, 1280] })).toEqual([
      'thumb.jpg 100x100',
      'w320.avif 320x240',
      'w320.webp 320x240',
      'w320.jpg 320x240',
      'w1280.avif 1280x960',
      'w1280.webp 1280x960',
      'w1280.jpg 1280x960',
    ]);
  });

  test('goes by the picture as displayed', () => {
    const turned = plan(1800, 1200, {}, { orientation: 6 });
    expect(turned).toMatchObject({ width: 1200, height: 1800 });
    expect(turned.variants.at(-1)).toMatchObject({ name: 'w1200.jpg', width: 1200, height: 1800 });
  });

  test("has the picture's own width in place of those that it has not", () => {
    const widths = (width: number): number[] => [
      ...new Set(
        plan(width, 10, { formats: ['webp'] })
          .variants.slice(1)
          .map((v) => v.width),
      ),
    ];
    expect(widths(1)).toEqual([1]);
    expect(widths(127)).toEqual([127]);
    expect(widths(640)).toEqual([320, 640]);
    expect(widths(1000)).toEqual([320, 640, 1000]);
    expect(widths(1920)).toEqual([320, 640, 1280, 1920]);
    expect(widths(1921)).toEqual([320, 640, 1280, 1920]);
  });

  test('leaves out what a format can not hold', () => {
    expect(sizes(640, 19_000, { widths: [320, 640] })).toEqual([
      'thumb.jpg 100x100',
      'w320.avif 320x9500',
      'w320.webp 320x9500',
      'w320.jpg 320x9500',
      'w640.jpg 640x19000',
    ]);
  });

  test('has PNG in place of JPEG for pictures with transparency, of the thumbnail not', () => {
    expect(sizes(100, 50, {}, { hasAlpha: true })).toEqual([
      'thumb.jpg 100x100',
      'w100.avif 100x50',
      'w100.webp 100x50',
      'w100.png 100x50',
    ]);
  });

  test('has the fixed sizes of the profile exactly, cropped where it is told to', () => {
    const sizesOf = [
      { name: 'card', width: 300, height: 200, fit: 'cover', position: 'focal' },
      { name: 'square', width: 400, height: 400, fit: 'cover', position: 'smart' },
      { name: 'middle', width: 10, height: 10, fit: 'cover' },
      { name: 'box', width: 500, height: 500, fit: 'contain', position: 'focal' },
    ] satisfies ImageSpec['sizes'];
    const made = (focal?: { x: number; y: number }) =>
      plan(100, 50, { widths: [], sizes: sizesOf, formats: ['webp'] }, {}, focal).variants.slice(1);
    expect(made({ x: 0.2, y: 0.9 })).toEqual([
      expect.objectContaining({ name: 'card.webp', width: 300, height: 200, position: { x: 0.2, y: 0.9 } }),
      expect.objectContaining({ name: 'square.webp', width: 400, height: 400, position: 'smart' }),
      expect.not.objectContaining({ position: expect.anything() }),
      expect.not.objectContaining({ position: expect.anything() }),
    ]);
    expect(made()[0]).toMatchObject({ position: 'centre' });
    expect(made()[3]).toMatchObject({ name: 'box.webp', fit: 'contain', width: 500, height: 500 });
  });

  test('hands on quality, budget, colours and copyright where the profile asks for them', () => {
    const wide = { isWide: true, copyright: 'A. Person' };
    const asked = plan(50, 50, { maxKiB: 7, colours: 'p3', keepCopyright: true, formats: ['avif', 'jpeg'] }, wide);
    for (const variant of asked.variants) {
      expect(variant).toMatchObject({ maxBytes: 7168, colours: 'p3', copyright: 'A. Person' });
      expect(variant.quality).toBe(DEFAULT.quality[variant.format as 'avif']);
    }
    for (const variant of plan(50, 50, {}, wide).variants) {
      for (const field of ['maxBytes', 'colours', 'copyright']) expect(variant).not.toHaveProperty(field);
    }
    for (const variant of plan(50, 50, { colours: 'p3' }).variants) expect(variant).not.toHaveProperty('colours');
  });

  test('of an animation has it moving, smaller where it is too wide, loops with even sides', () => {
    const moving = plan(1501, 901, { widths: [320] }, { pages: 7, format: 'gif', orientation: 6 });
    expect(moving.frames).toBe(7);
    expect(moving.variants.filter(({ animated }) => animated)).toEqual([
      expect.objectContaining({ name: 'animation.webp', type: 'animation', width: 1280, height: 768, format: 'webp' }),
    ]);
    expect(moving.loops).toEqual([{ name: 'loop.mp4', format: 'mp4', width: 1280, height: 768 }]);
    const small = plan(1, 33, { animation: { webp: false, loops: ['mp4', 'webm'], maxWidth: 90 } }, { pages: 2 });
    expect(small.variants.filter(({ animated }) => animated)).toEqual([]);
    expect(small.loops).toEqual([
      { name: 'loop.mp4', format: 'mp4', width: 2, height: 32 },
      { name: 'loop.webm', format: 'webm', width: 2, height: 32 },
    ]);
    expect(plan(1501, 901)).toMatchObject({ frames: 1, loops: [] });
  });

  test('never enlarges widths, keeps the shape, names each variant once', () => {
    const side = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 1, max: 8 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        (width, height, orientation, hasAlpha, pages) => {
          const made = plan(width, height, {}, { orientation, hasAlpha, pages });
          const scaled = made.variants.filter(({ fit, animated }) => fit === 'inside' && !animated);
          expect(new Set(made.variants.map(({ name }) => name)).size).toBe(made.variants.length);
          expect(made.variants[0]).toMatchObject({ name: 'thumb.jpg', width: 100, height: 100, fit: 'cover' });
          expect(scaled.some(({ format }) => format === (hasAlpha ? 'png' : 'jpeg'))).toBe(true);
          for (const v of scaled) {
            expect(v.width).toBeLessThanOrEqual(made.width);
            expect(v.height).toBeLessThanOrEqual(made.height);
            expect(Math.abs(v.height - Math.max(1, (made.height * v.width) / made.width))).toBeLessThanOrEqual(0.5);
          }
        },
      ),
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
