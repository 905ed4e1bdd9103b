import { expect, test } from '@jest/globals';

import { decodingOf, encodingOf, fromTheBottom, workOf } from '../../src/contracts/projection.js';
import type { VideoPlan, VideoRung } from '../../src/contracts/plan.js';

const rung = (name: string, height: number): VideoRung => ({
  ...{ name, height, width: (height * 16) / 9, codec: 'h264', preset: 'veryfast', level: '3.1', codecs: 'avc1.64001f' },
  ...{ crf: 22, maxrateKbps: 1000, bufsizeKbps: 2000 },
});
const [top, low] = [rung('720p', 720), rung('360p', 360)];

const plan = {
  grid: { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames: 200 },
  facts: { video: { width: 1280, height: 720 } },
} as unknown as VideoPlan;

const CHUNK = { firstSegment: 1, segments: 1 };

test('work is pixels by what they cost: a frame decoded is a tenth of one encoded', () => {
  const pixels = 100 * 1280 * 720;
  expect(encodingOf(plan, CHUNK, top)).toBeCloseTo(pixels / 1e6);
  expect(decodingOf(plan, CHUNK)).toBeCloseTo(pixels / 1e7);
  expect(workOf(plan, CHUNK, [top, low])).toBeCloseTo((pixels * (1.1 + 0.25)) / 1e6);
});

test('slower presets cost more, other codecs too; haste takes the most from what is slow', () => {
  const of = (own: Partial<typeof top>, isHasty = false) =>
    encodingOf(plan, CHUNK, { ...top, ...own }, { isHasty }) / encodingOf(plan, CHUNK, top);
  expect(of({ preset: 'slow' })).toBeGreaterThan(3);
  expect(of({ preset: 'slow' }, true)).toBeLessThan(1);
  expect(of({}, true)).toBeLessThan(1);
  expect(of({ preset: 'ultrafast' }, true)).toBe(of({ preset: 'ultrafast' }));
  expect(of({ codec: 'hevc' })).toBeGreaterThan(1);
  expect(of({ codec: 'hevc' }, true)).toBe(of({ codec: 'hevc' }));
  expect(of({ passthrough: true })).toBe(0);
});

test('what every player takes comes first, from the smallest up', () => {
  const hevc = { ...rung('360p-hevc', 360), codec: 'hevc' as const };
  expect(fromTheBottom([top, hevc, low]).map(({ name }) => name)).toEqual(['360p', '720p', '360p-hevc']);
});
