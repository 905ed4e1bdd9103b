import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';

import { copyrightOf } from '../../../src/tools/images/exif.js';
import { isWiderThanSrgb } from '../../../src/tools/images/icc.js';

const plain = () => sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } });

describe('a copyright line', () => {
  const exifOf = async (fields: Record<string, string>): Promise<Buffer> =>
    (await sharp(await plain().withExif({ IFD0: fields }).jpeg().toBuffer()).metadata()).exif!;

  /** One entry, in either byte order. */
  function block(bytes: Buffer, little: boolean): Buffer {
    const out = Buffer.alloc(26 + bytes.length);
    out.write(little ? 'II' : 'MM');
    const word = (value: number, at: number) => (little ? out.writeUInt16LE(value, at) : out.writeUInt16BE(value, at));
    const long = (value: number, at: number) => (little ? out.writeUInt32LE(value, at) : out.writeUInt32BE(value, at));
    word(42, 2);
    long(8, 4);
    word(1, 8);
    word(0x8298, 10);
    word(2, 12);
    long(bytes.length, 14);
    long(26, 18);
    bytes.copy(out, 26);
    if (bytes.length <= 4) bytes.copy(out, 18);
    return out;
  }

  test('is read as cameras and programs write it', async () => {
    expect(copyrightOf(await exifOf({ Artist: 'Other', Copyright: '(C) A. Person 2024' }))).toBe('(C) A. Person 2024');
    expect(copyrightOf(await exifOf({ Artist: 'Other' }))).toBeUndefined();
    for (const little of [true, false]) {
      expect(copyrightOf(block(Buffer.from('© Zoë 山田\0'), little))).toBe('© Zoë 山田');
      expect(copyrightOf(block(Buffer.from('me\0'), little))).toBe('me');
      expect(copyrightOf(block(Buffer.from('Photographer\0Editor\0'), little))).toBe('Photographer, Editor');
      expect(copyrightOf(block(Buffer.from('   \0'), little))).toBeUndefined();
    }
  });

  test('is one printable line of at most 200 characters', () => {
    expect(copyrightOf(block(Buffer.from('a\r\nb\u001b[31m\u202Ec\0'), true))).toBe('a b [31m c');
    expect(copyrightOf(block(Buffer.alloc(5000, 'x'), true))).toBe('x'.repeat(200));
  });

  test('of a damaged block is a line or nothing', async () => {
    const whole = await exifOf({ Copyright: '(C) A. Person 2024' });
    const fits = (bytes: Buffer) => {
      const line = copyrightOf(bytes);
      expect(line === undefined || (line.length <= 200 && /^\P{Cc}+$/u.test(line))).toBe(true);
    };
    for (let length = 0; length < whole.length; length++) fits(whole.subarray(0, length));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => fits(Buffer.from(bytes))));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const damaged = Buffer.from(whole);
        damaged[at] = value;
        fits(damaged);
      }),
    );
  });
});

describe('a colour profile', () => {
  const profileOf = async (name: string, space = 'srgb'): Promise<Buffer> =>
    (await sharp(await plain().toColourspace(space).withIccProfile(name).jpeg().toBuffer()).metadata()).icc!;

  test('is wider than sRGB or not', async () => {
    expect(isWiderThanSrgb(await profileOf('p3'))).toBe(true);
    expect(isWiderThanSrgb(await profileOf('srgb'))).toBe(false);
    expect(isWiderThanSrgb(await profileOf('cmyk', 'cmyk'))).toBe(false);
  });

  test('that is damaged makes no trouble', async () => {
    const whole = await profileOf('p3');
    for (let length = 0; length < whole.length; length += 3) {
      expect(typeof isWiderThanSrgb(whole.subarray(0, length))).toBe('boolean');
    }
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const damaged = Buffer.from(whole);
        damaged[at] = value;
        expect(typeof isWiderThanSrgb(damaged)).toBe('boolean');
      }),
    );
  });
});
