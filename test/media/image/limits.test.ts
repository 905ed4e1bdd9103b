import { describe, expect, test } from '@jest/globals';

import { admit } from '../../../src/media/image/limits.js';

const LIMITS = { maxMegapixels: 50, maxSidePx: 20_000, maxFrames: 300 };
const admitting =
  (width: number, height: number, pages = 1, format = 'png') =>
  () =>
    admit({ width, height, pages, format }, LIMITS);

describe('admission by the header', () => {
  test('lets a picture at the limits in', () => {
    expect(admitting(10_000, 5000)).not.toThrow();
    expect(admitting(20_000, 2500)).not.toThrow();
    expect(admitting(400, 400, 300, 'gif')).not.toThrow();
  });

  test.each([
    ['LIMIT_SIDE', '20001x1', admitting(20_001, 1)],
    ['LIMIT_SIDE', '1x4294967295', admitting(1, 4_294_967_295)],
    ['LIMIT_PIXELS', '268.4 million', admitting(16_384, 16_384)],
    ['LIMIT_PIXELS', '50.0 million', admitting(10_000, 5001)],
    ['LIMIT_FRAMES', '301', admitting(1, 1, 301, 'gif')],
    ['LIMIT_PIXELS', '1000x1000, 51 frames', admitting(1000, 1000, 51, 'webp')],
    ['DAMAGED_FILE', '0x5', admitting(0, 5)],
  ])('refuses with %s and says %s', (code, detail, run) => {
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(detail) }));
  });

  test('takes pages of a document for pictures that are not asked for', () => {
    expect(admitting(2480, 3508, 400, 'tiff')).not.toThrow();
  });
});
