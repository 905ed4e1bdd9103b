import { beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';

import { orientationSegment, readJpegHead } from '../../../src/media/image/raw/jpeg.js';
import { readRaw } from '../../../src/media/image/raw/raw.js';
import { pentaxWithNote, RAW_FILES, tiffFile } from '../../support/raw-files.js';

const readAt = (file: Buffer) => async (offset: number, length: number) => file.subarray(offset, offset + length);
const raw = (file: Buffer) => readRaw(readAt(file), file.length);

let large: Buffer;
let small: Buffer;
beforeAll(async () => {
  const jpeg = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: '#3c78b4' } })
      .jpeg()
      .toBuffer();
  [large, small] = await Promise.all([jpeg(300, 200), jpeg(60, 40)]);
});

describe('camera RAW', () => {
  test.each(Object.keys(RAW_FILES))('%s: the largest JPEG in it, byte for byte', async (name) => {
    const file = RAW_FILES[name]!({ large, small, orientation: 6 });
    const found = await raw(file);
    expect(found).toMatchObject({ name, preview: { width: 300, height: 200 }, isCutOff: false });
    const { offset, length } = found!.preview!;
    // A box may be longer than the JPEG in it.
    expect(file.subarray(offset, offset + large.length).equals(large)).toBe(true);
    expect(length).toBeGreaterThanOrEqual(large.length);
    // Fujifilm's JPEG says itself which way is up.
    if (name !== 'raf') expect(found).toMatchObject({ orientation: 6, copyright: 'Jane Doe' });
  });

  test("a preview that only the maker's note names", async () => {
    const found = await raw(pentaxWithNote({ large, small }));
    expect(found).toMatchObject({ name: 'pef', preview: { width: 300, height: 200 } });
  });

  test('sensor data that is kept as lossless JPEG is not taken for a picture', async () => {
    const sensor = Buffer.from(large);
    const frame = sensor.indexOf(Buffer.from([0xff, 0xc0]));
    expect(frame).toBeGreaterThan(0);
    sensor[frame + 1] = 0xc3;
    expect(await raw(RAW_FILES.dng!({ large: sensor, small }))).toMatchObject({ preview: { width: 60, height: 40 } });
    expect(await raw(RAW_FILES.dng!({ large: sensor, small: sensor }))).toMatchObject({
      name: 'dng',
      preview: undefined,
    });
  });

  test('cut off, it has the largest of the pictures that are whole, or none', async () => {
    // The small one lies before the large one.
    const file = RAW_FILES.dng!({ large, small });
    const where = file.indexOf(large);
    expect(await raw(file.subarray(0, where + large.length - 1))).toMatchObject({
      preview: { width: 60 },
      isCutOff: true,
    });
    const fuji = RAW_FILES.raf!({ large, small });
    expect(await raw(fuji.subarray(0, fuji.length - 1))).toMatchObject({
      name: 'raf',
      preview: undefined,
      isCutOff: true,
    });
  });

  test('an ordinary TIFF is none, whatever camera it names', async () => {
    const picture = { 0x010f: ['ascii', 'NIKON CORPORATION'], 0x0103: ['short', 1], 0x0106: ['short', 2] } as const;
    expect(await raw(tiffFile([picture]))).toBeUndefined();
    expect(await raw(await sharp(large).tiff({ compression: 'jpeg' }).toBuffer())).toBeUndefined();
    expect(await raw(Buffer.from('II*\0'))).toBeUndefined();
    expect(await raw(large)).toBeUndefined();
  });

  test('a directory that leads to itself, and counts without end, lead nowhere', async () => {
    const file = RAW_FILES.nef!({ large, small });
    const loop = Buffer.from(file);
    // The chain's second directory is the first one again.
    const first = loop.readUInt32BE(4);
    loop.writeUInt32BE(first, first + 2 + loop.readUInt16BE(first) * 12);
    expect(await raw(loop)).toMatchObject({ preview: { width: 300 } });
    for (let at = 8; at < 200; at++) {
      const broken = Buffer.from(file);
      broken.fill(0xff, at, at + 4);
      await raw(broken);
    }
  });

  test.each(Object.keys(RAW_FILES))('%s, cut at every hundredth byte, is read to an end', async (name) => {
    const file = RAW_FILES[name]!({ large, small });
    for (let length = 0; length < file.length; length += 100) {
      const found = await raw(file.subarray(0, length));
      const preview = found?.preview;
      if (preview) expect(preview.offset + preview.length).toBeLessThanOrEqual(length);
    }
  });
});

describe('which way is up', () => {
  test.each([1, 3, 6, 8])('orientation %d is read as it is written, by us and by sharp', async (orientation) => {
    const turned = Buffer.concat([large.subarray(0, 2), orientationSegment(orientation), large.subarray(2)]);
    expect(await readJpegHead(readAt(turned))).toMatchObject({ orientation });
    expect((await sharp(turned).metadata()).orientation).toBe(orientation);
  });

  test('what is written at its place says upright', async () => {
    for (const orientation of [3, 6]) {
      const exif = await sharp(large).withMetadata({ orientation }).toBuffer();
      const { offset, upright } = (await readJpegHead(readAt(exif)))!.orientationAt!;
      upright.copy(exif, offset);
      expect((await sharp(exif).metadata()).orientation).toBe(1);
    }
  });

  test('the segment comes before an Exif block without one', async () => {
    const tiff = tiffFile([{ 0x8298: ['ascii', 'Jane Doe'] }]);
    const head = Buffer.from([0xff, 0xe1, 0, 8 + tiff.length]);
    const parts = [Buffer.concat([head, Buffer.from('Exif\0\0'), tiff]), large.subarray(2)];
    const exif = Buffer.concat([large.subarray(0, 2), ...parts]);
    expect((await readJpegHead(readAt(exif)))?.orientation).toBeUndefined();
    const turned = Buffer.concat([large.subarray(0, 2), orientationSegment(8), ...parts]);
    expect((await sharp(turned).metadata()).orientation).toBe(8);
  });
});
