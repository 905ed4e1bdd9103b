import { describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';

import { readSize } from '../../../src/media/image/headers.js';
import { largestIcon } from '../../../src/media/image/icon.js';

/** ImageMagick, ours to trust here. */
async function convert(args: string[], output: string): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-headers-'));
  try {
    await promisify(execFile)('convert', [...args, join(dir, output)]);
    return await readFile(join(dir, output));
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** Only the header is written: the size says nothing of the pixels. */
function bombs(): [string, Buffer][] {
  const bmp = Buffer.alloc(54);
  bmp.write('BM');
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(30_000, 18);
  bmp.writeInt32LE(-30_000, 22);
  const psd = Buffer.alloc(26);
  psd.write('8BPS');
  psd.writeUInt32BE(30_000, 14);
  psd.writeUInt32BE(30_000, 18);
  const jxl = Buffer.from([0xff, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0]);
  // Not small, 18 bits of height less one, ratio 1:1.
  jxl.writeUInt32LE(((30_000 - 1) * 8 + 2 * 2 + 0) >>> 0, 2);
  jxl[4] = jxl[4]! | ((1 << (21 - 16)) & 0xff);
  return [
    ['bmp', bmp],
    ['psd', psd],
    ['jxl', jxl],
  ];
}

describe('size from the header', () => {
  test.each([
    ['bmp', 'x.bmp', []],
    ['bmp', 'bmp2:x.bmp', []],
    ['psd', 'x.psd', []],
    ['jp2', 'x.jp2', []],
    ['j2c', 'x.j2k', []],
  ])('%s as %s', async (format, output, extra) => {
    const [coder, file] = output.includes(':') ? output.split(':') : [undefined, output];
    const made = await convert(['-size', '61x43', 'gradient:red-blue', ...extra], file);
    const bytes = coder ? await convertTo(coder, made) : made;
    expect(readSize(format, bytes)).toEqual({ width: 61, height: 43 });
  });

  test.each(bombs())('%s of 30000x30000, most of it missing', (format, bytes) => {
    expect(readSize(format, bytes)).toEqual({ width: 30_000, height: 30_000 });
  });

  test('JPEG XL with a ratio and with two sides', () => {
    // small, height 8 x (9 + 1), ratio 16:9
    expect(readSize('jxl', Buffer.from([0xff, 0x0a, 1 | (9 << 1) | ((5 & 3) << 6), 5 >> 2, 0]))).toEqual({
      width: 142,
      height: 80,
    });
    // small, height 8 x 1, ratio 0, width 8 x 32
    expect(readSize('jxl', Buffer.from([0xff, 0x0a, 1, 31 << 1, 0]))).toEqual({ width: 256, height: 8 });
  });

  test.each(['bmp', 'psd', 'jp2', 'j2c', 'jxl'])('%s: none in noise, in nothing, in a cut header', (format) => {
    const whole = new Map(bombs()).get(format);
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(5000, 'noise'), whole?.subarray(0, 4)]) {
      if (bytes) expect(readSize(format, bytes)).toBeUndefined();
    }
  });
});

async function convertTo(coder: string, bytes: Buffer): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-headers-'));
  try {
    await writeFile(join(dir, 'in'), bytes);
    await promisify(execFile)('convert', [`bmp:${join(dir, 'in')}`, `${coder}:${join(dir, 'out')}`]);
    return await readFile(join(dir, 'out'));
  } finally {
    await rm(dir, { recursive: true });
  }
}

describe('an icon', () => {
  const square = (size: number) =>
    sharp({ create: { width: size, height: size, channels: 4, background: 'red' } })
      .png()
      .toBuffer();

  /** Entries claim to be 16x16, whatever they are. */
  function icon(pictures: Buffer[]): Buffer {
    const directory = Buffer.alloc(6 + 16 * pictures.length);
    directory.writeUInt16LE(1, 2);
    directory.writeUInt16LE(pictures.length, 4);
    let at = directory.length;
    pictures.forEach((picture, i) => {
      directory.fill(16, 6 + 16 * i, 8 + 16 * i);
      directory.writeUInt32LE(picture.length, 6 + 16 * i + 8);
      directory.writeUInt32LE(at, 6 + 16 * i + 12);
      at += picture.length;
    });
    return Buffer.concat([directory, ...pictures]);
  }

  test('is its largest entry, by the size of the entry itself', async () => {
    const [small, large] = await Promise.all([square(16), square(300)]);
    expect(largestIcon(icon([small, large, small]))).toMatchObject({ type: 'png', width: 300, height: 300 });
    expect(largestIcon(icon([small, large]))!.bytes.equals(large)).toBe(true);
  });

  test('of bitmaps becomes an icon of that one bitmap', async () => {
    const file = await convert(['-size', '48x48', 'xc:blue', '(', '-size', '16x16', 'xc:red', ')'], 'x.ico');
    const largest = largestIcon(file)!;
    expect(largest).toMatchObject({ type: 'ico', width: 48, height: 48 });
    expect(largest.bytes.readUInt16LE(4)).toBe(1);
    expect(largestIcon(largest.bytes)).toEqual(largest);
  });

  test('that is cut off has none', async () => {
    const file = icon([await square(16)]);
    for (const length of [0, 5, 6, 20, 60, file.length - 1])
      expect(largestIcon(file.subarray(0, length))).toBeUndefined();
  });
});
