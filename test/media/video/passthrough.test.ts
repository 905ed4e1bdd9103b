import { describe, expect, test } from '@jest/globals';

import type { VideoFacts, VideoRung } from '../../../src/contracts/plan.js';
import { ladder } from '../../../src/media/video/ladder.js';
import { passThrough, startsWithIdr, type SourcePicture } from '../../../src/media/video/passthrough.js';
import { gridOf } from '../../../src/media/video/plan.js';
import type { Sample } from '../../../src/media/video/sample-boxes.js';
import type { Track } from '../../../src/media/video/sample-table.js';
import { facts, profile, video } from './support.js';

const TIMESCALE = 12_800;
const STEP = 512; // 25 frames a second
const grid = gridOf(25, 10, { maxFps: 60, gopSeconds: 2 });
const rungs = ladder(1280, 720, 25, profile());
const film: VideoFacts = facts({ duration: 10, video: video({ duration: 10, matrix: 'bt709' }) });

/** 250 frames, a key frame every 2 s; frame 2 of each pair is decoded first. */
const samples = (): Sample[] =>
  Array.from({ length: 250 }, (_, i) => {
    const sync = i % 50 === 0;
    const place = sync || i % 50 === 49 ? i : i % 2 === 1 ? i + 1 : i - 1;
    return { dts: i * STEP, cts: (place + 1) * STEP, duration: STEP, offset: i * 5000, size: 5000, sync };
  });

const trackOf = (all: readonly Sample[], own: Partial<Track> = {}): Track => ({
  id: 1,
  handler: 'vide',
  timescale: TIMESCALE,
  samples: all.length,
  edit: { delay: 0, from: STEP, until: STEP * 251 },
  walk: (visit) => void all.some((sample) => visit(sample) === true),
  ...own,
});

const source = (own: Partial<SourcePicture> = {}): SourcePicture => ({
  track: trackOf(samples()),
  codecs: 'avc1.64001f',
  width: 1280,
  height: 720,
  upright: true,
  lengthBytes: 4,
  ...own,
});

const change = (index: number, own: Partial<Sample>): Track =>
  trackOf(samples().map((sample, i) => (i === index ? { ...sample, ...own } : sample)));

describe('passThrough', () => {
  test('a source that fits becomes the top rung, with its own name and its own bits', () => {
    const result = passThrough(rungs, grid, film, source());
    expect(result.reason).toBeUndefined();
    // The first frames of the three segments.
    expect(result.keyFrames).toEqual([0, 500_000, 1_000_000]);
    // 5,000 bytes, 25 times a second.
    expect(result.rungs[0]).toEqual({
      ...rungs[0],
      passthrough: true,
      encoded: { codecs: 'avc1.64001f', level: '3.1', maxrateKbps: 2800 },
      codecs: 'avc1.64001f',
      level: '3.1',
      maxrateKbps: 1000,
    });
    expect(result.rungs.slice(1)).toEqual(rungs.slice(1));
  });

  test('other codecs stay as they are', () => {
    const hevc: VideoRung = { ...rungs[0]!, name: '720p-hevc', codec: 'hevc' };
    const result = passThrough([hevc, ...rungs], grid, film, source());
    expect(result.rungs.map(({ passthrough }) => passthrough)).toEqual([undefined, true, undefined, undefined]);
  });

  test.each<[string, Partial<SourcePicture>, string]>([
    ['High 10', { codecs: 'avc1.6e001f' }, 'its profile'],
    ['Baseline with slices in any order', { codecs: 'avc1.42001f' }, 'its profile'],
    ['level 5.2', { codecs: 'avc1.640034' }, 'its level or packing'],
    ['short length fields', { lengthBytes: 2 }, 'its level or packing'],
    ['mirrored', { upright: false }, 'turned or mirrored'],
    ['pixels that are not square', { width: 960 }, 'its pixels are not square'],
    ['a frame that lasts longer', { track: change(100, { duration: STEP + 1 }) }, 'its frame rate'],
    ['a frame out of step', { track: change(101, { cts: 101 * STEP + 7 }) }, 'its frame rate'],
    ['a frame too few', { track: trackOf(samples().slice(0, 249)) }, 'its frame rate'],
    ['another clock', { track: trackOf(samples(), { timescale: 1000 }) }, 'its frame rate'],
    [
      'frames cut off by an edit',
      { track: trackOf(samples(), { edit: { delay: 0, from: STEP, until: STEP * 200 } }) },
      'frames that are not shown',
    ],
    [
      'a delay',
      { track: trackOf(samples(), { edit: { delay: 640, from: STEP, until: STEP * 251 } }) },
      'it begins later than the sound',
    ],
    ['no key frame at a border', { track: change(100, { sync: false }) }, 'its key frames'],
    ['an open GOP: a frame behind the key frame is shown before it', { track: swapped(100) }, 'its key frames'],
    [
      'more bits than the rung may have',
      { track: change(120, { size: 5_000_000 }) },
      'more bits than the rung may have',
    ],
    [
      'high peaks',
      { track: trackOf(samples().map((s, i) => ({ ...s, size: i === 120 ? 1_000_000 : 100 }))) },
      'its peaks are too high',
    ],
  ])('%s: encoded', (_, own, reason) => {
    const result = passThrough(rungs, grid, film, source(own));
    expect(result).toEqual({ rungs, reason });
  });

  test.each<[string, Parameters<typeof video>[0], string]>([
    ['10 bit', { pixelFormat: 'yuv420p10le' }, 'its pixel format'],
    ['interlaced', { interlaced: true }, 'interlaced'],
    ['turned', { rotation: 90 }, 'turned or mirrored'],
    ['HDR', { transfer: 'smpte2084' }, 'its colours'],
    ['BT.601', { matrix: 'smpte170m' }, 'its colours'],
  ])('%s: encoded', (_, own, reason) => {
    const other = facts({ ...film, video: video({ ...film.video, ...own }) });
    expect(passThrough(rungs, grid, other, source()).reason).toBe(reason);
  });

  test('a single rung is encoded: somebody has to make the stills, and players start with it', () => {
    expect(passThrough(rungs.slice(0, 1), grid, film, source()).reason).toBe('no rung below it');
  });

  test('a larger source than the top rung is encoded', () => {
    const large = facts({ ...film, video: video({ ...film.video, width: 1920, height: 1080 }) });
    expect(passThrough(rungs, grid, large, source({ width: 1920, height: 1080 })).reason).toBe('no rung of its size');
  });
});

/** The key frame at `index` and the frame before it are shown in each other's place. */
function swapped(index: number): Track {
  const all = samples();
  [all[index + 1]!.cts, all[index - 1]!.cts] = [all[index - 1]!.cts, all[index + 1]!.cts];
  return trackOf(all);
}

describe('startsWithIdr', () => {
  const nal = (type: number): Buffer => Buffer.from([0, 0, 0, 2, type, 0]);
  const fragment = (...types: number[]): Buffer => {
    const data = Buffer.concat(types.map(nal));
    const head = Buffer.from([0, 0, 0, 8 + data.length, 0x6d, 0x64, 0x61, 0x74]);
    return Buffer.concat([head, data]);
  };

  test('an IDR slice behind what is no slice', () => {
    expect(startsWithIdr(fragment(9, 6, 0x65))).toBe(true);
    expect(startsWithIdr(fragment(9, 6, 0x41, 0x65))).toBe(false);
    expect(startsWithIdr(fragment(9))).toBe(false);
  });
});
