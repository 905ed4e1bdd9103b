import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';

import type { ImageVariant } from '../../../src/contracts/image.js';
import { findFault } from '../../../src/media/image/verify.js';

const variant = (format: 'jpeg' | 'webp', width = 60, height = 40): ImageVariant => ({
  ...{ name: `x.${format}`, type: 'image', fit: 'inside', quality: 80 },
  ...{ format, width, height },
});
const picture = (channels: 3 | 4 = 3) =>
  sharp({ create: { width: 60, height: 40, channels, background: { r: 200, g: 10, b: 10, alpha: 0.5 } } });

describe('a finished picture', () => {
  test.each([
    ['jpeg', () => picture().jpeg()],
    ['jpeg', () => picture().jpeg({ progressive: true, chromaSubsampling: '4:4:4' })],
    ['webp', () => picture().webp()],
    ['webp', () => picture(4).webp()],
    ['webp', () => picture(4).webp({ lossless: true })],
  ] as const)('%s passes', async (format, make) => {
    const bytes = await make().toBuffer();
    expect(findFault(bytes, variant(format))).toBeUndefined();
    expect(findFault(bytes, variant(format, 61))).toMatch('60x40 instead of 61x40');
    expect(findFault(bytes, variant(format, 60, 41))).toMatch('60x40 instead of 60x41');
    expect(findFault(bytes.subarray(0, -3), variant(format))).toMatch('not a whole');
  });

  test.each([
    [
      'jpeg',
      'Exif',
      () =>
        picture()
          .withExif({ IFD3: { GPSLatitude: '51/1 30/1 0/1' } })
          .jpeg(),
    ],
    ['jpeg', 'ICC', () => picture().withIccProfile('p3').jpeg()],
    ['jpeg', 'XMP', () => picture().withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>').jpeg()],
    [
      'webp',
      'Exif',
      () =>
        picture()
          .withExif({ IFD3: { GPSLatitude: '51/1 30/1 0/1' } })
          .webp(),
    ],
    ['webp', 'ICC', () => picture().withIccProfile('p3').webp()],
  ] as const)('%s with %s does not', async (format, _what, make) => {
    expect(findFault(await make().toBuffer(), variant(format))).toMatch('it carries metadata');
  });

  test('of another type, empty or noise does not', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    expect(findFault(jpeg, variant('webp'))).toMatch('not a whole WebP');
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(100, 7)]) {
      for (const format of ['jpeg', 'webp'] as const)
        expect(findFault(bytes, variant(format))).toEqual(expect.any(String));
    }
  });
});
