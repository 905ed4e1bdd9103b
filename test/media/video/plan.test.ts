import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { chunksOf, framesOfChunk, segmentCount } from '../../../src/contracts/plan.js';
import { gridOf, planVideo } from '../../../src/media/video/plan.js';
import { audio, facts, profile, video } from './support.js';

const EVERY_2_S = { maxFps: 60, gopSeconds: 2 } as const;

describe('gridOf', () => {
  test('an IDR frame every 2 s, segments of 4 s, in whole frames', () => {
    expect(gridOf(29.97, 10.01, EVERY_2_S)).toEqual({
      fps: { num: 30_000, den: 1001 },
      gopFrames: 60,
      segmentFrames: 120,
      totalFrames: 300,
    });
    expect(gridOf(25, 0.04, EVERY_2_S).totalFrames).toBe(1);
    expect(gridOf(25, 0, EVERY_2_S).totalFrames).toBe(1);
  });

  test('segments are 4 s, however far apart the key frames are', () => {
    expect(gridOf(25, 10, { maxFps: 60, gopSeconds: 1 })).toMatchObject({ gopFrames: 25, segmentFrames: 100 });
    expect(gridOf(25, 10, { maxFps: 60, gopSeconds: 4 })).toMatchObject({ gopFrames: 100, segmentFrames: 100 });
  });
});

describe('chunksOf', () => {
  const sizes = (seconds: number, chunkSegments: number): number[] =>
    chunksOf({ grid: gridOf(25, seconds, EVERY_2_S), chunkSegments }).map(({ segments }) => segments);

  test('the first one is one segment, then they grow', () => {
    expect(sizes(200, 15)).toEqual([1, 2, 4, 8, 15, 15, 5]);
    expect(sizes(3, 15)).toEqual([1]);
  });

  test('0: the whole video is one chunk', () => {
    expect(sizes(61, 0)).toEqual([16]);
  });

  test('chunks cover the grid exactly', () => {
    const input = fc.tuple(
      fc.double({ min: 1, max: 60, noNaN: true }),
      fc.integer({ min: 1, max: 43_200 }),
      fc.integer({ min: 0, max: 50 }),
    );
    fc.assert(
      fc.property(input, ([fps, seconds, chunkSegments]) => {
        const grid = gridOf(fps, seconds, EVERY_2_S);
        let next = 0;
        let frames = 0;
        for (const chunk of chunksOf({ grid, chunkSegments })) {
          expect(chunk.firstSegment).toBe(next);
          expect(framesOfChunk(grid, chunk)).toBeGreaterThan(0);
          frames += framesOfChunk(grid, chunk);
          next += chunk.segments;
        }
        expect(next).toBe(segmentCount(grid));
        expect(frames).toBe(grid.totalFrames);
      }),
    );
  });
});

describe('planVideo', () => {
  test.each(['default', 'fast', 'quality', 'archive', 'audio'])('profile %s, of a film with everything', (name) => {
    const sounds = [
      audio({ streamIndex: 1, channels: 6, language: 'eng', isDefault: true }),
      audio({ streamIndex: 2, language: 'ger', title: 'Deutsch' }),
    ];
    const subtitle = { streamIndex: 3, codec: 'mov_text', language: 'eng', isDefault: true, isForced: false };
    const film = facts({
      duration: 5400,
      video: video({ width: 1920, height: 1080, frameRate: 24, duration: 5400 }),
      audio: sounds,
      subtitles: [subtitle],
    });
    const plan = planVideo(film, profile({}, name));
    expect(plan).toMatchSnapshot();
    expect(JSON.stringify(plan).length).toBeLessThan(6144);
  });

  test('only sound is left of a video by a profile without rungs; without any, there is nothing to make', () => {
    const plan = planVideo(facts({ audio: [audio({})] }), profile({}, 'audio'));
    expect(plan).toMatchObject({
      kind: 'audio',
      rungs: [],
      stills: { posterFrames: [] },
      audio: [{ name: 'audio-0' }],
    });
    expect(plan.grid).toBeUndefined();
    expect(() => planVideo(facts(), profile({}, 'audio'))).toThrow(expect.objectContaining({ code: 'NO_MEDIA' }));
  });

  test('a source that can not be trusted to seek is one continuous pass', () => {
    expect(planVideo(facts(), profile()).chunkSegments).toBe(15);
    expect(planVideo(facts({ seekable: false }), profile()).chunkSegments).toBe(0);
  });

  test('a poster at a time', () => {
    expect(planVideo(facts(), profile({ poster: { atSeconds: 3 } })).stills.posterFrames).toEqual([75]);
  });

  test('one default subtitle at most', () => {
    const subtitle = { codec: 'subrip', isDefault: true, isForced: true };
    const subtitles = [
      { ...subtitle, streamIndex: 2, isDefault: false },
      { ...subtitle, streamIndex: 3, language: 'fre' },
      { ...subtitle, streamIndex: 4 },
    ];
    expect(planVideo(facts({ subtitles }), profile()).subtitles).toMatchObject([
      { name: 'subs-0', isDefault: false },
      { name: 'subs-1-fre', isDefault: true, isForced: true },
      { name: 'subs-2', isDefault: false },
    ]);
  });

  test('5.1 beside stereo, where the profile wants it and the source has it', () => {
    const tracks = [audio({ channels: 8, language: 'eng', isDefault: true }), audio({ streamIndex: 2 })];
    const { audio: sound } = profile();
    expect(planVideo(facts({ audio: tracks }), profile({ audio: { ...sound, surround: true } })).audio).toMatchObject([
      { name: 'audio-0-eng', channels: 2, isDefault: true },
      { name: 'audio-0-eng-51', channels: 6, bitrateKbps: 384, isDefault: false },
      { name: 'audio-1', channels: 2 },
    ]);
    expect(planVideo(facts({ audio: tracks }), profile()).audio).toHaveLength(2);
  });

  test('sound: every track, stereo at most, in its own family of rates', () => {
    const tracks = [
      audio({ streamIndex: 1, channels: 6, sampleRate: 48_000, language: 'eng' }),
      audio({ streamIndex: 2, channels: 1, sampleRate: 22_050, language: 'ger', isDefault: true, title: 'Kommentar' }),
      audio({ streamIndex: 5, channels: 2, sampleRate: 8_000 }),
    ];
    const plan = planVideo(facts({ audio: tracks }), profile());
    expect(plan.audio).toEqual([
      {
        name: 'audio-0-eng',
        streamIndex: 1,
        language: 'eng',
        isDefault: false,
        channels: 2,
        bitrateKbps: 128,
        sampleRate: 48_000,
      },
      {
        name: 'audio-1-ger',
        streamIndex: 2,
        language: 'ger',
        title: 'Kommentar',
        isDefault: true,
        channels: 1,
        bitrateKbps: 64,
        sampleRate: 44_100,
      },
      { name: 'audio-2', streamIndex: 5, isDefault: false, channels: 2, bitrateKbps: 128, sampleRate: 48_000 },
    ]);
  });

  test('sound alone has no grid', () => {
    const plan = planVideo(facts({ video: undefined, audio: [audio({})] }), profile());
    expect(plan).toMatchObject({ kind: 'audio', rungs: [], audio: [{ name: 'audio-0', isDefault: true }] });
    expect(plan.grid).toBeUndefined();
  });

  test('fits a payload, even for the longest video with many tracks', () => {
    const title = 'x'.repeat(64);
    const many = Array.from({ length: 16 }, (_, streamIndex) =>
      audio({ streamIndex, language: 'eng', title, channels: 6 }),
    );
    const subtitles = Array.from({ length: 16 }, (_, i) => ({
      ...{ streamIndex: 20 + i, codec: 'mov_text', language: 'eng', title },
      ...{ isDefault: false, isForced: false },
    }));
    const long = facts({
      duration: 43_200,
      audio: many,
      subtitles,
      video: video({ width: 3840, height: 2160, duration: 43_200 }),
    });
    expect(JSON.stringify(planVideo(long, profile({}, 'quality'))).length).toBeLessThan(16_384);
  });
});
