import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { ladder } from '../../../src/media/video/ladder.js';
import { h264Level, levelOf } from '../../../src/media/video/level.js';
import type { RungSpec } from '../../../src/contracts/profile.js';
import { profile } from './support.js';

const DEFAULT = profile();
const spec = (own: Partial<RungSpec>): RungSpec => ({ size: 1080, codec: 'h264', crf: 22, capKbps: 5000, ...own });

const sizes = (width: number, height: number, rungs: readonly RungSpec[] = DEFAULT.rungs): string[] =>
  ladder(width, height, 30, { ...DEFAULT, rungs: [...rungs] }).map(
    (rung) => `${rung.name} ${rung.width}x${rung.height}`,
  );

describe('ladder', () => {
  test('a full rung', () => {
    expect(ladder(1920, 1080, 30, DEFAULT)[0]).toEqual({
      name: '1080p',
      width: 1920,
      height: 1080,
      codec: 'h264',
      crf: 22,
      maxrateKbps: 5000,
      bufsizeKbps: 10_000,
      preset: 'veryfast',
      level: '4.0',
      codecs: 'avc1.640028',
    });
  });

  test.each([
    [1920, 1080, ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360']],
    [1080, 1920, ['1080p 1080x1920', '720p 720x1280', '480p 480x854', '360p 360x640']],
    [3840, 2160, ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360']],
    [1920, 804, ['720p 1720x720', '480p 1146x480', '360p 860x360']],
    [642, 642, ['480p 480x480', '360p 360x360']],
    [320, 180, ['180p 320x180']],
    [161, 121, ['120p 160x120']],
    [1, 1, ['2p 2x2']],
    [20_000, 1080, ['222p 4096x222']],
  ])('%dx%d', (width, height, expected) => {
    expect(sizes(width, height)).toEqual(expected);
  });

  test('each codec has its own rungs; of one size H.264 comes last', () => {
    const rungs = [
      spec({ size: 360 }),
      spec({ size: 720, codec: 'hevc' }),
      spec({ size: 720 }),
      spec({ codec: 'av1' }),
    ];
    expect(sizes(1920, 1080, rungs)).toEqual([
      '1080p-av1 1920x1080',
      '720p-hevc 1280x720',
      '720p 1280x720',
      '360p 640x360',
    ]);
    expect(sizes(640, 360, rungs)).toEqual(['360p-hevc 640x360', '360p-av1 640x360', '360p 640x360']);
  });

  test("the source's own size is one of the rungs, once", () => {
    const rungs = [spec({ size: 'source', crf: 16 }), spec({ size: 720 }), spec({ size: 360 })];
    expect(sizes(2560, 1440, rungs)).toEqual(['1440p 2560x1440', '720p 1280x720', '360p 640x360']);
    expect(sizes(1280, 720, rungs)).toEqual(['720p 1280x720', '360p 640x360']);
    expect(ladder(1280, 720, 30, { ...DEFAULT, rungs })[0]?.crf).toBe(16);
  });

  test('a preset of its own, else that of its codec', () => {
    const presets = { h264: 'fast', hevc: 'slow', av1: '9', vp9: '6' };
    const rungs = [spec({ preset: 'medium' }), spec({ size: 360 }), spec({ size: 360, codec: 'av1' })];
    expect(ladder(1920, 1080, 30, { rungs, presets }).map((rung) => rung.preset)).toEqual(['medium', '9', 'fast']);
  });

  test('more frames, half again the bits', () => {
    expect(ladder(1920, 1080, 50, DEFAULT).map((rung) => rung.maxrateKbps)).toEqual([7500, 4200, 2100, 1200]);
    expect(ladder(1920, 1080, 30, DEFAULT).map((rung) => rung.maxrateKbps)).toEqual([5000, 2800, 1400, 800]);
  });

  test('even, never upscaled, upright, in falling order, names unique, shape kept', () => {
    const side = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(side, side, fc.constantFrom(24, 30, 60), (width, height, fps) => {
        const rungs = ladder(width, height, fps, DEFAULT);
        expect(rungs.length).toBeGreaterThanOrEqual(1);
        expect(new Set(rungs.map((rung) => rung.name)).size).toBe(rungs.length);
        rungs.forEach((rung, i) => {
          expect([rung.width % 2, rung.height % 2]).toEqual([0, 0]);
          expect(rung.width).toBeLessThanOrEqual(Math.max(2, width));
          expect(rung.height).toBeLessThanOrEqual(Math.max(2, height));
          if (i > 0) expect(rung.width * rung.height).toBeLessThan(rungs[i - 1]!.width * rungs[i - 1]!.height);
          const exact = rung.width / width < rung.height / height ? rung.width / width : rung.height / height;
          if (Math.min(rung.width, rung.height) > 16) {
            expect(Math.abs(rung.width - width * exact)).toBeLessThanOrEqual(Math.max(3, (3 * width) / height));
            expect(Math.abs(rung.height - height * exact)).toBeLessThanOrEqual(Math.max(3, (3 * height) / width));
          }
        });
      }),
    );
  });
});

describe('h264Level', () => {
  test.each([
    [640, 360, 30, 800, '3.0'],
    [854, 480, 30, 1400, '3.1'],
    [1280, 720, 30, 2800, '3.1'],
    [1280, 720, 60, 4200, '3.2'],
    [1920, 1080, 30, 5000, '4.0'],
    [1920, 1080, 60, 7500, '4.2'],
    [3840, 2160, 30, 20_000, '5.1'],
    [128, 96, 15, 60, '1.0'],
  ])('%dx%d at %d fps, %d kb/s: %s', (width, height, fps, rate, level) => {
    expect(h264Level(width, height, fps, rate, rate * 2)).toBe(level);
  });
});

describe('levelOf', () => {
  test.each([
    ['hevc', 1920, 1080, 30, 5000, '4.0'],
    ['hevc', 1920, 1080, 60, 15_000, '5.1'],
    ['hevc', 640, 360, 30, 800, '2.1'],
    ['av1', 1920, 1080, 30, 5000, '4.0'],
    ['av1', 320, 180, 25, 500, '2.0'],
    ['vp9', 1920, 1080, 60, 5000, '4.0'],
    ['vp9', 640, 360, 30, 800, '2.1'],
  ] as const)('%s %dx%d at %d fps, %d kb/s: %s', (codec, width, height, fps, rate, level) => {
    expect(levelOf(codec, { width, height, fps, maxrateKbps: rate, bufsizeKbps: rate * 2 })).toBe(level);
  });
});
