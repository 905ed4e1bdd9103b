import { describe, expect, test } from '@jest/globals';

import { MediaError } from '../../../src/contracts/errors.js';
import type { ChunkResult, EncodedRendition } from '../../../src/contracts/plan.js';
import { damagedFrames } from '../../../src/media/video/damage.js';
import { planVideo } from '../../../src/media/video/plan.js';
import { shortfalls } from '../../../src/media/video/shortfalls.js';
import { verify, type VerifyInput } from '../../../src/media/video/verify.js';
import { audio, facts, SETTINGS, video } from './support.js';

/** 10 s at 25 fps in chunks of one segment (4, 4 and 2 s), one rung, one track. */
const plan = planVideo(
  facts({ video: video({ width: 320, height: 180, duration: 10 }), audio: [audio({ duration: 10 })], duration: 10 }),
  { ...SETTINGS, chunkSegments: 1 },
);
const rendition = (units: number, own: Partial<EncodedRendition> = {}): EncodedRendition => ({
  name: '180p',
  segments: 1,
  bytes: 1000,
  peakBitrate: 1,
  units,
  codecs: 'avc1.64000d',
  ...own,
});
const chunk = (index: number, units: number, endedEarly = false, own: Partial<EncodedRendition> = {}): ChunkResult => ({
  index,
  renditions: [rendition(units, own)],
  endedEarly,
});
const names = (prefix: string, count: number): [string, number][] => [
  [`${prefix}init.mp4`, 700],
  ...Array.from({ length: count }, (_, i): [string, number] => [`${prefix}seg-0000${i}.m4s`, 50_000]),
];
const good: VerifyInput = {
  plan,
  chunks: [chunk(0, 100), chunk(1, 100), chunk(2, 50)],
  audio: [rendition(480_256, { name: 'audio-0', segments: 3, codecs: 'mp4a.40.2' })],
  withdrawn: new Set(),
  listing: new Map([...names('video/180p/', 3), ...names('audio/audio-0/', 3)]),
};
const problems = (own: Partial<VerifyInput>): string[] =>
  verify({ ...good, ...own }).findings.map(({ name, problem }) => `${name}: ${problem}`);
const without = (key: string) => new Map([...good.listing].filter(([name]) => name !== key));

describe('verify', () => {
  test('all is well', () => {
    const { passed, findings, frames } = verify(good);
    expect(findings).toEqual([]);
    expect(frames).toBe(250);
    expect(passed).toMatchObject([
      {
        type: 'video',
        name: '180p',
        durations: [4, 4, 2],
        duration: 10,
        bytes: 150_700,
        peak: 200_000,
        average: 120_000,
      },
      { type: 'audio', name: 'audio-0' },
    ]);
    expect(passed[1]?.duration).toBeCloseTo(10.005, 2);
  });

  test('everything that can be missing', () => {
    expect(problems({ listing: without('video/180p/init.mp4') })).toEqual(['180p: Its init segment is missing.']);
    expect(problems({ listing: without('video/180p/seg-00001.m4s') })).toEqual(['180p: Segment 1 is missing.']);
    expect(problems({ listing: without('audio/audio-0/seg-00002.m4s') })).toEqual(['audio-0: Segment 2 is missing.']);
    expect(problems({ listing: new Map(good.listing).set('video/180p/seg-00001.m4s', 0) })).toEqual([
      '180p: Segment 1 is missing.',
    ]);
    expect(problems({ chunks: good.chunks.slice(0, 2) })).toEqual(['180p: 2 of 3 chunks were made.']);
    expect(problems({ audio: [] })).toEqual(['audio-0: It was not made.']);
  });

  test('a rung that lacks frames, chunks that do not fit together, a track of the wrong length', () => {
    const two = chunk(1, 100);
    const uneven = { ...two, renditions: [rendition(99), rendition(100, { name: '90p' })] };
    expect(problems({ chunks: [good.chunks[0]!, uneven, good.chunks[2]!] })).toEqual([
      '180p: 249 of 250 frames were made.',
    ]);
    expect(problems({ chunks: [chunk(0, 90, true), two, good.chunks[2]!] })).toEqual(['180p: Chunk 1 follows a gap.']);
    expect(
      problems({ chunks: [chunk(0, 100), chunk(1, 100, false, { codecs: 'avc1.640028' }), chunk(2, 50)] }),
    ).toEqual(['180p: Its chunks differ in codec: avc1.64000d, avc1.640028.']);
    expect(problems({ audio: [rendition(240_000, { name: 'audio-0' })] })).toEqual([
      'audio-0: It is 5.01 s long, not 10.00 s.',
    ]);
  });

  test('a source that ended early is as long as what there is', () => {
    const ended = verify({ ...good, chunks: [chunk(0, 100), chunk(1, 30, true), chunk(2, 0, true, { codecs: '' })] });
    expect(ended).toMatchObject({ frames: 130, findings: [], passed: [{ durations: [4, 1.2] }, {}] });
  });

  test('what was withdrawn is not looked for', () => {
    expect(verify({ ...good, audio: [], withdrawn: new Set(['audio-0']) })).toMatchObject({
      findings: [],
      passed: [{ name: '180p' }],
    });
  });
});

describe('shortfalls', () => {
  const say = (frames: number, own = {}, chunks: ChunkResult[] = []): string[] =>
    shortfalls({ ...plan, facts: { ...plan.facts, ...own } }, chunks, frames).map(
      ({ name, error }) => `${name}: ${error.message}`,
    );

  test('nothing to say', () => {
    expect(say(250)).toEqual([]);
    expect(say(245)).toEqual([]);
  });
  test('a cut file', () => {
    expect(say(250, { truncatedFrom: 60 })).toEqual([
      'end: The file ends before its content does. 10.0 of 60.0 s are there.',
    ]);
  });
  test('frames that did not decode', () => {
    expect(say(150)).toEqual(['end: The file is damaged and can not be decoded. 6.0 of 10.0 s could be decoded.']);
    expect(() => say(50)).toThrow(MediaError);
  });
  test('damaged frames', () => {
    const damaged = (damagedFrames: number): ChunkResult[] => [{ ...chunk(0, 250), damagedFrames }];
    expect(say(250, {}, damaged(3))).toEqual([
      'damaged frames: The file is damaged and can not be decoded. At least 3 of 250 frames are damaged.',
    ]);
    expect(() => say(250, {}, damaged(30))).toThrow('30 of 250');
  });
});

test('damagedFrames counts what ffmpeg says', () => {
  const stderr = [
    '[h264 @ 0x1] error while decoding MB 59 28, bytestream 250',
    './source: corrupt decoded frame in stream 0',
    '    Last message repeated 2 times',
    '[h264 @ 0x1] Reference 2 >= 2',
    '    Last message repeated 7 times',
    'Error while decoding stream #0:0: Invalid data found when processing input',
  ];
  expect(damagedFrames(stderr.join('\n'))).toBe(4);
  expect(damagedFrames('')).toBe(0);
});
