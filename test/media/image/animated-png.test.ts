import { describe, expect, test } from '@jest/globals';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';

import { readApng } from '../../../src/media/image/apng.js';
import { ANIMATION_HEAD_BYTES, animationHead, frameChunk } from '../../../src/media/image/webp-frames.js';

const readAt = (file: Buffer) => async (offset: number, length: number) => file.subarray(offset, offset + length);

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

const numbers = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32BE(value, i * 4));
  return bytes;
};

function control(numerator: number, denominator: number): Buffer {
  const data = Buffer.alloc(26);
  data.writeUInt16BE(numerator, 20);
  data.writeUInt16BE(denominator, 22);
  return chunk('fcTL', data);
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const png = (...chunks: Buffer[]): Buffer =>
  Buffer.concat([SIGNATURE, chunk('IHDR', Buffer.concat([numbers(40, 30), Buffer.from([8, 2, 0, 0, 0])])), ...chunks]);
const end = chunk('IEND', Buffer.alloc(0));

describe('animated PNG', () => {
  test('its size, frames, plays and times', async () => {
    const [first, second, third] = [control(1, 10), control(3, 0), control(0, 1000)];
    const file = png(chunk('acTL', numbers(3, 2)), first, chunk('IDAT', Buffer.alloc(9)), second, third, end);
    // A denominator of 0 stands for 100.
    expect(await readApng(readAt(file))).toEqual({ width: 40, height: 30, frames: 3, plays: 2, delays: [100, 30, 0] });
  });

  test('one without the chunk that announces frames is a still picture', async () => {
    expect(await readApng(readAt(png(chunk('IDAT', Buffer.alloc(9)), end)))).toBeUndefined();
  });

  test('cut off anywhere, it is what is left, or damaged', async () => {
    const file = png(chunk('acTL', numbers(2, 0)), control(1, 10), chunk('IDAT', Buffer.alloc(9)), control(1, 10), end);
    for (let length = 0; length < file.length; length++) {
      const outcome = readApng(readAt(file.subarray(0, length)));
      if (length < 24) await expect(outcome).rejects.toMatchObject({ code: 'DAMAGED_FILE' });
      else expect((await outcome)?.delays.length ?? 0).toBeLessThanOrEqual(2);
    }
  });

  test('more times than frames are not kept, nor chunks without end read', async () => {
    const many = Buffer.concat(Array.from({ length: 120_000 }, () => control(1, 10)));
    expect((await readApng(readAt(png(chunk('acTL', numbers(2, 0)), many, end))))!.delays.length).toBeLessThan(5);
  });
});

test('still WebP pictures become an animation of the same pixels and times', async () => {
  const size = { width: 24, height: 17 };
  const colours = ['#ff0000', '#00ff0080', '#0000ff'];
  const stills = await Promise.all(
    colours.map((background) =>
      sharp({ create: { ...size, channels: 4, background } })
        .webp({ lossless: true })
        .toBuffer(),
    ),
  );
  const delays = [40, 1000, 70];
  const frames = stills.map((still, i) => frameChunk(still, size, delays[i]!));
  const bytes = ANIMATION_HEAD_BYTES + frames.reduce((sum, { length }) => sum + length, 0);
  const file = Buffer.concat([animationHead(size, { loops: 3, bytes }), ...frames]);
  expect(file.length).toBe(bytes);
  expect(await sharp(file, { animated: true }).metadata()).toMatchObject({
    ...{ format: 'webp', pages: 3, delay: delays, loop: 3 },
    ...{ width: 24, pageHeight: 17, hasAlpha: true },
  });
  for (const [page, still] of stills.entries()) {
    const made = await sharp(file, { page }).raw().toBuffer();
    expect(made.equals(await sharp(still).ensureAlpha().raw().toBuffer())).toBe(true);
  }
});
