import { describe, expect, jest, test } from '@jest/globals';
import { isBlurhashValid } from 'blurhash';
import sharp, { type Sharp } from 'sharp';
import { thumbHashToApproximateAspectRatio, thumbHashToAverageRGBA } from 'thumbhash';

import { palette } from '../../../src/tools/images/palette.js';
import { HASH_SIDE, perceptualHash, traitsOf } from '../../../src/tools/images/traits.js';
import { scene } from '../../support/pictures.js';

// A machine that has other tests to run.
jest.setTimeout(60_000);

const rgba = (...areas: readonly (readonly [count: number, r: number, g: number, b: number, a?: number])[]) =>
  Uint8Array.from(
    areas.flatMap(([count, r, g, b, a = 255]) => Array.from({ length: count }, () => [r, g, b, a]).flat()),
  );

describe('a palette', () => {
  test('has the colours by how much of the picture they cover', () => {
    expect(palette(rgba([500, 255, 0, 0], [300, 0, 0, 255], [200, 255, 255, 255]))).toEqual([
      '#ff0000',
      '#0000ff',
      '#ffffff',
    ]);
  });

  test('takes colours for one that the eye does', () => {
    expect(palette(rgba([400, 200, 30, 30], [300, 204, 33, 30], [300, 10, 10, 90]))).toHaveLength(2);
  });

  test('has at most six, none of next to nothing', () => {
    const hues = Array.from({ length: 40 }, (_, i) => [20, (i * 61) % 256, (i * 97) % 256, (i * 151) % 256] as const);
    expect(palette(rgba(...hues)).length).toBeLessThanOrEqual(6);
    expect(palette(rgba([999, 0, 0, 0], [5, 255, 255, 255]))).toEqual(['#000000']);
  });

  test('does not see what is transparent', () => {
    expect(palette(rgba([900, 255, 0, 0, 0], [100, 0, 128, 0]))).toEqual(['#008000']);
    expect(palette(rgba([900, 255, 0, 0, 0]))).toEqual([]);
  });
});

describe('a perceptual hash', () => {
  const WIDTH = 160;
  const HEIGHT = 120;
  const picture = (seed: number): Sharp => sharp(shapes(seed), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
  /** Ellipses on a gradient: no two seeds alike. */
  function shapes(seed: number): Buffer {
    const pixels = scene(WIDTH, HEIGHT, seed);
    for (let i = 0; i < 12; i++) {
      const at = (n: number): number => Math.abs(Math.sin(seed * 37 + i * 11 + n * 5));
      const [x0, y0, radius, colour] = [at(1) * WIDTH, at(2) * HEIGHT, 10 + at(3) * 30, at(4) * 255];
      for (let y = 0; y < HEIGHT; y++) {
        for (let x = 0; x < WIDTH; x++) {
          if ((x - x0) ** 2 + (y - y0) ** 2 < radius ** 2)
            pixels.fill(colour, (y * WIDTH + x) * 3, (y * WIDTH + x) * 3 + 3);
        }
      }
    }
    return pixels;
  }
  const hashOf = async (image: Sharp): Promise<bigint> => {
    const small = sharp(await image.png().toBuffer())
      .resize(HASH_SIDE, HASH_SIDE, { fit: 'fill' })
      .greyscale();
    return BigInt(`0x${perceptualHash(await small.raw().toBuffer())}`);
  };
  const distance = (a: bigint, b: bigint): number => [...(a ^ b).toString(2)].filter((bit) => bit === '1').length;

  test('of copies differs in a few bits, of other pictures in many', async () => {
    const seeds = [1, 2, 3, 4, 5, 6];
    const originals = await Promise.all(seeds.map((seed) => hashOf(picture(seed))));
    for (const [i, seed] of seeds.entries()) {
      const copies = [
        picture(seed).resize(60),
        sharp(await picture(seed).jpeg({ quality: 20 }).toBuffer()),
        picture(seed).modulate({ brightness: 1.15 }),
        picture(seed).greyscale(),
        picture(seed).blur(1.5),
      ];
      for (const copy of copies) expect(distance(originals[i]!, await hashOf(copy))).toBeLessThanOrEqual(8);
      for (const other of originals.slice(0, i)) expect(distance(originals[i]!, other)).toBeGreaterThan(14);
    }
  });

  test('has 64 bits, about half of them set; none of a picture of one colour', async () => {
    const hash = (await hashOf(picture(1))).toString(2);
    const set = [...hash].filter((bit) => bit === '1').length;
    expect(set).toBeGreaterThanOrEqual(28);
    expect(set).toBeLessThanOrEqual(32);
    for (const grey of [0, 77, 255])
      expect(perceptualHash(new Uint8Array(HASH_SIDE ** 2).fill(grey))).toBe('0'.repeat(16));
  });
});

test('all traits come from the same pixels', () => {
  const small = { data: rgba([60 * 40, 200, 100, 50]), width: 60, height: 40 };
  const traits = traitsOf(small, small, new Uint8Array(HASH_SIDE ** 2).fill(120));
  const thumb = Buffer.from(traits.thumbHash, 'base64');
  expect(thumbHashToApproximateAspectRatio(thumb)).toBeCloseTo(1.5, 0);
  const { r, g, b, a } = thumbHashToAverageRGBA(thumb);
  for (const [found, meant] of [
    [r, 200],
    [g, 100],
    [b, 50],
    [a, 255],
  ] as const) {
    expect(Math.abs(found * 255 - meant)).toBeLessThan(12);
  }
  expect(isBlurhashValid(traits.blurHash)).toEqual({ result: true });
  expect(traits).toMatchObject({ dominantColour: '#c86432', palette: ['#c86432'] });
});
