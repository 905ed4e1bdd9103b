import { describe, expect, test } from '@jest/globals';

import { adaptRungs, probeChunks, probePlan } from '../../../src/media/video/content-probe.js';
import { ladder } from '../../../src/media/video/ladder.js';
import { gridOf, planVideo } from '../../../src/media/video/plan.js';
import { facts, profile, video } from './support.js';

const GRID = { maxFps: 60, gopSeconds: 2 } as const;
const starts = (seconds: number, seekable = true): number[] =>
  probeChunks(gridOf(25, seconds, GRID), seekable).map(({ firstSegment }) => firstSegment);

describe('probeChunks', () => {
  test('a few places, spread evenly, whatever the length', () => {
    expect(starts(36_000)).toEqual([900, 2700, 4500, 6300, 8100]);
    expect(starts(16)).toEqual([0, 1, 2, 3]);
    expect(starts(2)).toEqual([0]);
  });

  test('near the beginning, where seeking means decoding all before', () => {
    expect(Math.max(...starts(36_000, false))).toBeLessThan(8);
  });
});

test('the probe is small, on the same grid, and covers nothing', () => {
  const plan = planVideo(facts({ video: video({ width: 1920, height: 1080 }) }), profile());
  const probe = probePlan({ ...plan, grid: plan.grid! });
  expect(probe.grid).toEqual(plan.grid);
  expect(probe.rungs).toMatchObject([{ name: 'probe', width: 512, height: 288, codec: 'h264' }]);
});

describe('adaptRungs', () => {
  const rungs = ladder(1920, 1080, 25, profile());
  const adapted = (mean: number, peak = mean) => adaptRungs(rungs, { fps: { num: 25, den: 1 } }, { mean, peak });
  const crfs = (mean: number) => adapted(mean).map(({ crf }) => crf);
  const caps = (mean: number, peak = mean) => adapted(mean, peak).map(({ maxrateKbps }) => maxrateKbps);

  test('a film stays as the profile has it', () => {
    expect(adapted(0.095)).toEqual(rungs);
  });

  test('a talking head gets lower caps and a higher CRF, within bounds', () => {
    expect(crfs(0.015)).toEqual([23, 23, 24, 24]);
    expect(caps(0.015)).toEqual([2000, 1120, 560, 320]);
    expect(crfs(0)).toEqual([24, 24, 25, 25]);
    expect(caps(0)).toEqual([2000, 1120, 560, 320]);
  });

  test('one busy scene keeps the caps', () => {
    expect(caps(0.015, 0.1)).toEqual(rungs.map(({ maxrateKbps }) => maxrateKbps));
  });

  test('where a cap would bite all the time, CRF follows it; the cap stays', () => {
    expect(crfs(1)).toEqual([25, 25, 26, 26]);
    expect(caps(1)).toEqual(rungs.map(({ maxrateKbps }) => maxrateKbps));
  });

  test('what is copied is not touched; names and levels stay', () => {
    const copied = rungs.map((rung, i) => (i === 0 ? { ...rung, passthrough: true as const } : rung));
    const result = adaptRungs(copied, { fps: { num: 25, den: 1 } }, { mean: 0.01, peak: 0.01 });
    expect(result[0]).toBe(copied[0]);
    expect(result.map(({ codecs, level }) => [codecs, level])).toEqual(
      rungs.map(({ codecs, level }) => [codecs, level]),
    );
  });
});
