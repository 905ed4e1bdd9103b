import { describe, expect, test } from '@jest/globals';

import { exrArguments, jxlArguments, jxlColours, magickArguments } from '../../../src/media/image/decode-args.js';
import { exrHeader } from '../../../src/media/image/exr.js';
import { EXR, formatOf, JXL, wordFor } from '../../../src/media/image/formats.js';
import { jp2Halvings } from '../../../src/media/image/headers.js';
import { admitWhole, halvingsFor, megapixelsWithin } from '../../../src/media/image/limits.js';
import { drawnSize, pageOf } from '../../../src/media/image/pdf.js';

const LIMITS = { maxMegapixels: 50, maxSidePx: 20_000, maxFrames: 300 };
const info = (size: string, turn = 0): string =>
  `Encrypted:  no\nPage    1 size:  ${size} pts (letter)\nPage    1 rot:   ${turn}\n`;

describe('the first page of a PDF', () => {
  test('has the size that poppler tells, lying on its side where it is turned', () => {
    expect(pageOf(info('612 x 792'))).toEqual({ width: 612, height: 792, isTurned: false });
    expect(pageOf(info('1.4e+07 x 841.89', 90))).toEqual({ width: 1.4e7, height: 841.89, isTurned: true });
    expect(pageOf(info('612 x 792', 180))).toMatchObject({ isTurned: false });
  });

  test.each(['', info('0 x 792'), 'Page    1 size:  x\n'])('without one it is damaged: %j', (text) => {
    expect(() => pageOf(text)).toThrow(expect.objectContaining({ code: 'DAMAGED_FILE' }));
  });

  test.each([
    ['a letter', { width: 612, height: 792 }, { width: 1920, height: 2484 }],
    ['a stamp', { width: 10, height: 10 }, { width: 1920, height: 1920 }],
    ['a banner', { width: 10_000, height: 3 }, { width: 1920, height: 1 }],
    ['a till roll', { width: 100, height: 14_400 }, { width: 28, height: 4096 }],
    ['a letter on its side', { width: 612, height: 792, isTurned: true }, { width: 1483, height: 1920 }],
  ])('%s is drawn within its bounds', (_name, page, size) => {
    expect(drawnSize({ isTurned: false, ...page }, LIMITS)).toEqual(size);
  });

  test('is never drawn larger than pictures may be', () => {
    expect(drawnSize({ width: 100, height: 100, isTurned: false }, { ...LIMITS, maxSidePx: 500 })).toEqual({
      width: 500,
      height: 500,
    });
    expect(drawnSize({ width: 100, height: 100, isTurned: false }, { ...LIMITS, maxMegapixels: 0.01 })).toEqual({
      width: 100,
      height: 100,
    });
  });
});

describe('OpenEXR', () => {
  const attribute = (name: string, type: string, value: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(value.length);
    return Buffer.concat([Buffer.from(`${name}\0${type}\0`, 'latin1'), length, value]);
  };
  const box = (...corners: number[]): Buffer => Buffer.from(new Int32Array(corners).buffer);
  const channels = (...names: string[]): Buffer =>
    Buffer.concat([
      ...names.map((name) => Buffer.concat([Buffer.from(`${name}\0`), Buffer.alloc(16)])),
      Buffer.alloc(1),
    ]);
  const exr = (...attributes: Buffer[]): Buffer =>
    Buffer.concat([Buffer.from('762f310102000000', 'hex'), ...attributes, Buffer.alloc(1)]);

  test('has the size of the larger of its windows, and alpha where a channel is called so', () => {
    const windows = [
      attribute('dataWindow', 'box2i', box(-10, -10, 29, 39)),
      attribute('displayWindow', 'box2i', box(0, 0, 99, 9)),
    ];
    expect(exrHeader(exr(attribute('channels', 'chlist', channels('B', 'G', 'R')), ...windows))).toEqual({
      width: 100,
      height: 50,
      hasAlpha: false,
    });
    expect(exrHeader(exr(attribute('channels', 'chlist', channels('A', 'B')), ...windows))).toMatchObject({
      hasAlpha: true,
    });
    expect(exrHeader(exr(attribute('channels', 'chlist', channels('diffuse.A', 'B')), ...windows))).toMatchObject({
      hasAlpha: false,
    });
  });

  test('without a window, or cut off, has none', () => {
    const whole = exr(attribute('dataWindow', 'box2i', box(0, 0, 9, 9)));
    expect(exrHeader(exr())).toBeUndefined();
    for (let length = 0; length < whole.length - 1; length++)
      expect(exrHeader(whole.subarray(0, length))).toBeUndefined();
    expect(exrHeader(exr(attribute('dataWindow', 'box2i', box(9, 0, 0, 9))))).toBeUndefined();
  });
});

describe('decoders that hold a picture at once', () => {
  test('are limited by what memory allows, with the number', () => {
    expect(megapixelsWithin(512, 36)).toBeCloseTo(13.05, 1);
    expect(() => admitWhole({ width: 5000, height: 4000 }, EXR, 512)).toThrow(
      expect.objectContaining({
        code: 'LIMIT_PIXELS',
        message: expect.stringContaining('20.0 million; 13.0 million are allowed of exr'),
      }),
    );
    admitWhole({ width: 5000, height: 4000 }, EXR, 1024);
    admitWhole({ width: 5000, height: 4000 }, JXL, 512);
    admitWhole({ width: 9000, height: 5500 }, formatOf('image/jpeg')!, 512);
  });

  test('JPEG 2000 is halved as often as it takes', () => {
    const pixel = { bytesPerPixel: 14 };
    expect(halvingsFor({ width: 5000, height: 4000 }, pixel, 512)).toBe(0);
    expect(halvingsFor({ width: 8000, height: 6000 }, pixel, 512)).toBe(1);
    expect(halvingsFor({ width: 16_000, height: 12_000 }, pixel, 512)).toBe(2);
  });

  test('the halvings that a JPEG 2000 allows are those of its COD marker', () => {
    const siz = Buffer.from('ff4fff51 0029'.replace(' ', ''), 'hex');
    const cod = Buffer.from('ff52000c 00 00 0001 00 05'.replaceAll(' ', ''), 'hex');
    expect(jp2Halvings(Buffer.concat([siz, Buffer.alloc(0x27), cod, Buffer.alloc(8)]))).toBe(5);
    expect(jp2Halvings(siz)).toBe(0);
    expect(jp2Halvings(Buffer.alloc(100))).toBe(0);
  });
});

describe('what decoders are told', () => {
  test('the format is named, never guessed, and nothing but the colour profile stays', () => {
    const psd = magickArguments(formatOf('image/vnd.adobe.photoshop')!, 'source', 'out.tif');
    expect(psd[0]).toBe('psd:source[0]');
    expect(psd.at(-1)).toBe('tiff:out.tif');
    // CMYK stays for its profile to be applied.
    expect(psd.join(' ')).not.toContain('-colorspace');
    expect(psd.join(' ')).toContain('+profile !icc,*');
    const jp2 = magickArguments(formatOf('image/jp2')!, 'source', 'out.tif', 1).join(' ');
    expect(jp2).toMatch(/^-define jp2:reduce-factor=1 jp2:source\[0\] .*-colorspace sRGB/);
  });

  test('light of an OpenEXR scene becomes what screens show; alpha only where there is one', () => {
    expect(exrArguments('source', 'out.tif', false).join(' ')).toMatch(
      /^-apply_trc iec61966_2_1 -threads 1 -f exr_pipe -i source .*-vf format=rgb24 /,
    );
    expect(exrArguments('source', 'out.tif', true).join(' ')).toContain('unpremultiply=inplace=1,format=rgba');
  });

  test('a JPEG XL that names its colours is taken to sRGB, and no other', () => {
    const filter = (report: string): string => {
      const args = jxlArguments('source', 'out.png', jxlColours(report));
      return args[args.indexOf('-vf') + 1]!;
    };
    expect(filter('color_transfer=iec61966-2-1\ncolor_primaries=smpte432\n')).toMatch(
      /^format=gbrp\|gbrap,zscale=primariesin=smpte432:transferin=iec61966-2-1:.*:primaries=bt709:.*,format=rgb24/,
    );
    expect(filter('color_transfer=iec61966-2-1\ncolor_primaries=bt709\n')).toMatch(/^format=rgb24/);
    expect(filter('color_transfer=unknown\ncolor_primaries=film:a=b\n')).toMatch(/^format=rgb24/);
    expect(filter('')).toMatch(/^format=rgb24/);
  });

  test('formats without a decoder have a word', () => {
    expect(['image/x-xcf', 'image/vnd.ms-photo', 'image/bpg'].map(wordFor)).toEqual(['xcf', 'ms-photo', 'bpg']);
    expect(formatOf('image/x-xcf')).toBeUndefined();
  });
});
