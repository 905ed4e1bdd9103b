import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';

import type { ImageVariant } from '../../../src/contracts/image.js';
import { findFault } from '../../../src/media/image/verify.js';

type Format = ImageVariant['format'];
const FORMATS: readonly Format[] = ['jpeg', 'webp', 'png', 'avif'];

const variant = (format: Format, more: Partial<ImageVariant> = {}): ImageVariant => ({
  ...{ name: `x.${format}`, type: 'image', fit: 'inside', quality: 80 },
  ...{ format, width: 60, height: 40 },
  ...more,
});
const picture = (channels: 3 | 4 = 3) =>
  sharp({ create: { width: 60, height: 40, channels, background: { r: 200, g: 10, b: 10, alpha: 0.5 } } });
const COPYRIGHT = { IFD0: { Copyright: '(C) A. Person' } };

describe('a finished picture', () => {
  test.each([
    ['jpeg', () => picture().jpeg()],
    ['jpeg', () => picture().jpeg({ progressive: true, chromaSubsampling: '4:4:4' })],
    ['webp', () => picture().webp()],
    ['webp', () => picture(4).webp()],
    ['webp', () => picture(4).webp({ lossless: true })],
    ['png', () => picture().png()],
    ['png', () => picture(4).png({ palette: true })],
    ['avif', () => picture().avif({ effort: 0 })],
    ['avif', () => picture(4).avif({ effort: 0, chromaSubsampling: '4:2:0' })],
  ] as const)('%s passes', async (format, make) => {
    const bytes = await make().toBuffer();
    expect(findFault(bytes, variant(format))).toBeUndefined();
    expect(findFault(bytes, variant(format, { width: 61 }))).toMatch('60x40 instead of 61x40');
    expect(findFault(bytes, variant(format, { height: 41 }))).toMatch('60x40 instead of 60x41');
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(findFault(bytes.subarray(0, -cut), variant(format))).toEqual(expect.any(String));
    }
  });

  test.each(FORMATS)(
    '%s has the colour profile and the copyright that were asked for, and no others',
    async (format) => {
      const made = (image: Sharp) => image.toFormat(format).toBuffer();
      const [plain, wide, marked, both] = await Promise.all([
        made(picture()),
        made(picture().withIccProfile('p3')),
        made(picture().withExif(COPYRIGHT)),
        made(picture().withIccProfile('p3').withExif(COPYRIGHT)),
      ]);
      const colours = { colours: 'p3' } as const;
      const copyright = { copyright: '(C) A. Person' };
      expect(findFault(wide, variant(format, colours))).toBeUndefined();
      expect(findFault(marked, variant(format, copyright))).toBeUndefined();
      expect(findFault(both, variant(format, { ...colours, ...copyright }))).toBeUndefined();
      expect(findFault(wide, variant(format))).toBe('it carries metadata (a colour profile)');
      expect(findFault(marked, variant(format))).toBe('it carries metadata (Exif)');
      expect(findFault(plain, variant(format, colours))).toBe('its colour profile is missing');
      expect(findFault(plain, variant(format, copyright))).toBe('its copyright is missing');
    },
  );

  test.each(FORMATS)('%s with a place, a camera or XMP does not pass beside a copyright either', async (format) => {
    const asked = variant(format, { copyright: '(C) A. Person' });
    for (const [tag, exif] of [
      ['8825', { ...COPYRIGHT, IFD3: { GPSLatitude: '51/1 30/1 0/1' } }],
      ['10f', { IFD0: { ...COPYRIGHT.IFD0, Make: 'Camera' } }],
      ['9003', { ...COPYRIGHT, IFD2: { DateTimeOriginal: '2024:01:01 00:00:00' } }],
    ] as const) {
      const bytes = await picture().withExif(exif).toFormat(format).toBuffer();
      expect(findFault(bytes, asked)).toBe(`it carries metadata (Exif tag ${tag})`);
    }
    const xmp = picture().withExif(COPYRIGHT).withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>');
    expect(findFault(await xmp.toFormat(format).toBuffer(), asked)).toMatch('it carries metadata');
  });

  test('of another type, empty or noise does not', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    expect(findFault(jpeg, variant('webp'))).toMatch('not a whole WebP');
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(100, 7)]) {
      for (const format of FORMATS) expect(findFault(bytes, variant(format))).toEqual(expect.any(String));
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...FORMATS), (bytes, format) => {
        expect(findFault(Buffer.from(bytes), variant(format))).toEqual(expect.any(String));
      }),
    );
  });
});

describe('an animation', () => {
  const frames = () =>
    sharp(Buffer.from(Array.from({ length: 3 * 60 * 40 * 3 }, (_, i) => Math.floor(i / (60 * 40 * 3)) * 90)), {
      raw: { width: 60, height: 120, channels: 3, pageHeight: 40 },
    });
  const animated = variant('webp', { type: 'animation', animated: true });

  test('passes where one is asked for, and nowhere else', async () => {
    const bytes = await frames()
      .webp({ delay: [40, 50, 60] })
      .toBuffer();
    expect(findFault(bytes, animated)).toBeUndefined();
    expect(findFault(bytes, variant('webp'))).toBe('it moves');
    expect(findFault(bytes.subarray(0, -9), animated)).toMatch('not a whole');
    const marked = await frames().withExif(COPYRIGHT).webp().toBuffer();
    expect(findFault(marked, animated)).toMatch('Exif');
    expect(findFault(marked, { ...animated, copyright: '(C) A. Person' })).toBeUndefined();
  });

  test('of frames that are all alike may be a still picture', async () => {
    expect(findFault(await picture().webp().toBuffer(), animated)).toBeUndefined();
  });
});
