import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { MediaError } from '../../../src/contracts/errors.js';
import type { VideoFacts } from '../../../src/contracts/plan.js';
import { audioSamples, audioSegmentFrames } from '../../../src/media/video/audio-args.js';
import { averageBitrate, peakBitrate } from '../../../src/media/video/bitrate.js';
import type { FragmentHead } from '../../../src/media/video/fragment-head.js';
import { shortfalls } from '../../../src/media/video/shortfalls.js';
import {
  rungAsItIs,
  runsOf,
  verifyRung,
  verifyTrack,
  type SegmentScan,
  type StreamScan,
} from '../../../src/media/video/verify.js';
import { plan as planOf, rung as rungOf, track } from './presentation-fixture.js';

/** 10 s at 25 fps: segments of 4, 4 and 2 s. */
const plan = planOf({
  grid: { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames: 250 },
  rungs: [rungOf({})],
  audio: [track({})],
});
const rung = plan.rungs[0]!;
const [sound] = plan.audio;
const TIMESCALE = 12_800;

const head = (own: Partial<FragmentHead> = {}): FragmentHead => ({
  trackId: 1,
  decodeTime: 0,
  samples: 100,
  duration: 100 * 512,
  startsWithSync: true,
  sampleBytes: 49_000,
  dataBytes: 49_000,
  firstSampleEnd: 21_000,
  end: 50_000,
  parameterSet: 3,
  ...own,
});
const segment = (own: Partial<FragmentHead> = {}): SegmentScan => ({ bytes: 50_000, head: head(own) });
const segments = (): Map<number, SegmentScan> =>
  new Map([
    [0, segment()],
    [1, segment({ decodeTime: 100 * 512 })],
    [2, segment({ decodeTime: 200 * 512, samples: 50, duration: 50 * 512 })],
  ]);
const picture = (own: Partial<StreamScan> = {}): StreamScan => ({
  initBytes: 700,
  init: { timescale: TIMESCALE, codecs: rung.codecs, trackId: 1, width: 1280, height: 720, parameterSets: [3] },
  segments: segments(),
  ...own,
});
const tone = (own: Partial<StreamScan> = {}): StreamScan => {
  const counts = audioSegmentFrames(audioSamples(plan, sound!), sound!.sampleRate);
  let start = 0;
  const scans = counts.map((samples, i): [number, SegmentScan] => {
    const scan = segment({ samples, decodeTime: start, duration: samples * 1024, parameterSet: undefined });
    start += samples * 1024;
    return [i, scan];
  });
  return {
    initBytes: 700,
    init: { timescale: 48_000, codecs: 'mp4a.40.2', trackId: 1, width: 0, height: 0 },
    segments: new Map(scans),
    ...own,
  };
};
const with_ = (number: number, own: Partial<FragmentHead> | SegmentScan | undefined): StreamScan => {
  const scans = segments();
  if (own === undefined) scans.delete(number);
  else scans.set(number, 'bytes' in own ? own : { bytes: 50_000, head: { ...scans.get(number)!.head!, ...own } });
  return picture({ segments: scans });
};
const init = (own: Partial<NonNullable<StreamScan['init']>>): StreamScan =>
  picture({ init: { ...picture().init!, ...own } });

describe('a rung', () => {
  test('that is as planned', () => {
    expect(verifyRung(plan, rung, 250, picture())).toEqual({
      type: 'video',
      name: '720p',
      codecs: 'avc1.64001f',
      timeline: { timescale: 25, segments: [100, 100, 50] },
      iframes: [{ bytes: 21_000 }, { bytes: 21_000 }, { bytes: 21_000 }],
      sizes: [50_000, 50_000, 50_000],
      bytes: 150_700,
      // RFC 8216, 4.1: the last segment is half as long as the target and as large.
      peak: 200_000,
      average: 120_000,
    });
  });

  test('of a source that ended early is as long as what there is', () => {
    const scan = with_(1, { samples: 30, duration: 30 * 512 });
    expect(verifyRung(plan, rung, 130, scan)).toMatchObject({ timeline: { segments: [100, 30] } });
    expect(verifyRung(plan, rung, 0, scan)).toEqual({ name: '720p', problem: 'It has no frames.' });
  });

  const WHOLE: [string, StreamScan][] = [
    ['Its init segment is missing.', picture({ initBytes: 0, init: undefined })],
    ['Its init segment can not be read.', picture({ init: undefined })],
    ['Its init segment is of avc1.640028, not avc1.64001f.', init({ codecs: 'avc1.640028' })],
    ['Its init segment is of 640x360, not 1280x720.', init({ width: 640, height: 360 })],
  ];
  test.each(WHOLE)('must be made again: %s', (problem, scan) => {
    expect(verifyRung(plan, rung, 250, scan)).toEqual({ name: '720p', problem });
  });

  const ONE: [string, StreamScan][] = [
    ['It is missing.', with_(1, undefined)],
    ['It is missing.', with_(1, { bytes: 0 })],
    ['It can not be read.', with_(1, { bytes: 50_000 })],
    ['It ends within mdat.', with_(1, { bytes: 30_000, problem: 'It ends within mdat.' })],
    ['It has 99 of 100 frames.', with_(1, { samples: 99 })],
    ['7 bytes lie behind its media data.', with_(1, { end: 49_993 })],
    ['Its sample table speaks of 48000 bytes, it has 49000.', with_(1, { sampleBytes: 48_000 })],
    ['It belongs to another init segment.', with_(1, { trackId: 2 })],
    ['It was encoded for another rung.', with_(1, { parameterSet: 4 })],
    ['It does not start with a key frame.', with_(1, { startsWithSync: false })],
    ['It starts at 0.000 s, not 4.000 s.', with_(1, { decodeTime: 0 })],
    ['It lasts 3.960 s, not 4.000 s.', with_(1, { duration: 99 * 512 })],
  ];
  test.each(ONE)('must be made again in one segment: %s', (problem, scan) => {
    expect(verifyRung(plan, rung, 250, scan)).toEqual({
      name: '720p',
      problem: `Segment 1: ${problem}`,
      segments: [{ firstSegment: 1, segments: 1 }],
    });
  });

  test('names all segments at fault, and how the first one is', () => {
    const scans = segments();
    scans.delete(0);
    scans.set(2, segment({ decodeTime: 0, samples: 50, duration: 50 * 512 }));
    expect(verifyRung(plan, rung, 250, picture({ segments: scans }))).toEqual({
      name: '720p',
      problem: 'Segment 0: It is missing. 2 segments are at fault.',
      segments: [{ firstSegment: 0, segments: 1 }, { firstSegment: 2, segments: 1 }],
    }); // prettier-ignore
  });

  test('that is not at issue is described as if nothing were wrong with it', () => {
    const holed = picture({ segments: new Map([...segments()].filter(([number]) => number !== 1)) });
    const whole = verifyRung(plan, rung, 250, picture());
    expect(rungAsItIs(plan.grid!, rung, 250, holed)).toMatchObject({
      ...{ name: rung.name, codecs: rung.codecs, timeline: 'timeline' in whole && whole.timeline },
      iframes: [{ bytes: 21_000 }, { bytes: expect.any(Number) as unknown }, { bytes: 21_000 }],
    });
    const { average } = rungAsItIs(plan.grid!, rung, 250, { initBytes: 0, segments: new Map() });
    expect(average).toBeCloseTo(rung.maxrateKbps * 1000, -3);
  });

  test('that was not encoded has the clock of its source, to half a frame', () => {
    const copied = { ...rung, passthrough: true } as const;
    const off = with_(1, { decodeTime: 100 * 512 + 200, duration: 100 * 512 - 200 });
    expect(verifyRung(plan, copied, 250, off)).toMatchObject({ name: '720p', bytes: 150_700 });
    expect(verifyRung(plan, rung, 250, off)).toHaveProperty('problem');
    expect(verifyRung(plan, copied, 250, with_(1, { decodeTime: 100 * 512 + 300 }))).toHaveProperty('problem');
  });
});

describe('a sound track', () => {
  test('that is as planned ends within a frame of the picture', () => {
    const verdict = verifyTrack(plan, sound!, tone());
    expect(verdict).toMatchObject({ type: 'audio', name: 'audio-0-eng', iframes: [] });
    if ('problem' in verdict) throw new Error(verdict.problem);
    const samples = verdict.timeline.segments.reduce((sum, ticks) => sum + ticks, 0);
    expect(Math.abs(samples / 48_000 - 10)).toBeLessThanOrEqual(1024 / 48_000);
  });

  test('that lacks a frame, or is of something else', () => {
    const scan = tone();
    const last = scan.segments.get(2)!;
    const short = new Map(scan.segments).set(2, { ...last, head: { ...last.head!, samples: last.head!.samples - 1 } });
    expect(verifyTrack(plan, sound!, tone({ segments: short }))).toMatchObject({
      name: 'audio-0-eng',
      segments: [{ firstSegment: 2, segments: 1 }],
      problem: expect.stringMatching(/^Segment 2: It has 93 of 94 frames of sound/),
    });
    expect(verifyTrack(plan, sound!, picture())).toMatchObject({
      problem: 'Its init segment is of avc1.64001f, not mp4a.40.2.',
    });
  });
});

test('runs of segments are at most 100, hold every segment, and are as tight as that allows', () => {
  expect(runsOf([1, 2, 3, 7, 9, 10])).toEqual([
    { firstSegment: 1, segments: 3 },
    { firstSegment: 7, segments: 1 },
    { firstSegment: 9, segments: 2 },
  ]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(2000), { maxLength: 600 }), (numbers) => {
      const wanted = numbers.sort((a, b) => a - b);
      const runs = runsOf(wanted);
      const held = runs.flatMap((run) => Array.from({ length: run.segments }, (_, i) => run.firstSegment + i));
      expect(runs.length).toBeLessThanOrEqual(100);
      expect(new Set(held).size).toBe(held.length);
      expect(wanted.every((number) => held.includes(number))).toBe(true);
      if (runs.length < 100) expect(held).toEqual(wanted);
    }),
  );
});

test('a last segment of one frame does not make the peak', () => {
  const sized = [{ bytes: 500_000, seconds: 4 }, { bytes: 400_000, seconds: 4 }, { bytes: 30_000, seconds: 0.04 }]; // prettier-ignore
  expect(peakBitrate(sized)).toBe(1_000_000);
  expect(averageBitrate(sized)).toBe(Math.ceil(7_440_000 / 8.04));
  expect(peakBitrate([{ bytes: 1000, seconds: 0.04 }])).toBe(200_000);
  expect(peakBitrate([])).toBe(0);
});

describe('shortfalls', () => {
  const say = (frames: number, own: Partial<VideoFacts> = {}, damagedFrames = 0): string[] => {
    const facts = { ...plan.facts, duration: 10, ...own };
    return shortfalls({ ...plan, facts }, { frames, damagedFrames, audio: [] }).map(
      ({ name, error }) => `${name}: ${error.message}`,
    );
  };

  test('nothing to say', () => {
    expect(say(250)).toEqual([]);
    expect(say(245)).toEqual([]);
  });
  test('a cut file', () => {
    expect(say(250, { truncatedFrom: 60 })).toEqual([
      'end: The file ends before its content does. 10.0 of 60.0 s are there.',
    ]);
  });
  test('sound that did not decode, but for the packet that a cut goes through', () => {
    const audio = (packets: number) => [{ name: 'audio-0', samples: 480_000, gain: 0, damagedFrames: packets }];
    const sayOfSound = (packets: number) =>
      shortfalls(plan, { frames: plan.grid!.totalFrames, damagedFrames: 0, audio: audio(packets) });
    expect(sayOfSound(1)).toEqual([]);
    expect(sayOfSound(2).map(({ error }) => error.message)).toEqual([
      'The file is damaged and can not be decoded. At least 2 packets of audio-0 are damaged.',
    ]);
  });
  test('frames that did not decode', () => {
    expect(say(150)).toEqual(['end: The file is damaged and can not be decoded. 6.0 of 10.0 s could be decoded.']);
    expect(() => say(50)).toThrow(MediaError);
  });
  test('damaged frames', () => {
    expect(say(250, {}, 3)).toEqual([
      'damaged frames: The file is damaged and can not be decoded. At least 3 of 250 frames are damaged.',
    ]);
    expect(() => say(250, {}, 30)).toThrow('30 of 250');
  });
});
