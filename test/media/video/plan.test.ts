import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { toNumber } from '../../../src/media/video/frame-rate.js';
import { chunksOf, framesOfSegment, gridOf, planVideo, segmentCount } from '../../../src/media/video/plan.js';
import { audio, facts, SETTINGS } from './support.js';

describe('gridOf', () => {
  test('an IDR frame every 2 s, segments of 4 s, in whole frames', () => {
    expect(gridOf(29.97, 10.01, 60)).toEqual({
      fps: { num: 30_000, den: 1001 },
      gopFrames: 60,
      segmentFrames: 120,
      totalFrames: 300,
    });
    expect(gridOf(25, 0.04, 60).totalFrames).toBe(1);
    expect(gridOf(25, 0, 60).totalFrames).toBe(1);
  });
});

describe('chunksOf', () => {
  test('0: the whole video is one chunk', () => {
    expect(chunksOf(gridOf(25, 61, 60), 0)).toEqual([{ index: 0, firstSegment: 0, segments: 16, posterFrame: 125 }]);
  });

  test('the poster is never the first frame, unless there is no other', () => {
    expect(chunksOf(gridOf(25, 0.2, 60), 0)[0]?.posterFrame).toBe(1);
    expect(chunksOf(gridOf(25, 0.04, 60), 0)[0]?.posterFrame).toBe(0);
  });

  test('chunks cover the grid exactly, and one of them has the poster', () => {
    const input = fc.tuple(
      fc.double({ min: 1, max: 60, noNaN: true }),
      fc.integer({ min: 1, max: 43_200 }),
      fc.integer({ min: 0, max: 50 }),
    );
    fc.assert(
      fc.property(input, ([fps, seconds, size]) => {
        const grid = gridOf(fps, seconds, 60);
        const chunks = chunksOf(grid, size);
        let next = 0;
        let frames = 0;
        for (const chunk of chunks) {
          expect(chunk.firstSegment).toBe(next);
          const lengths = Array.from({ length: chunk.segments }, (_, i) =>
            framesOfSegment(grid, chunk.firstSegment + i),
          );
          expect(Math.min(...lengths)).toBeGreaterThan(0);
          frames += lengths.reduce((a, b) => a + b);
          next += chunk.segments;
        }
        expect(next).toBe(segmentCount(grid));
        expect(frames).toBe(grid.totalFrames);
        const posters = chunks.filter(({ posterFrame }) => posterFrame !== undefined);
        expect(posters).toHaveLength(1);
        expect(posters[0]!.posterFrame! / toNumber(grid.fps)).toBeLessThanOrEqual(5);
      }),
    );
  });
});

describe('planVideo', () => {
  test('sound: every track, stereo at most, in its own family of rates', () => {
    const tracks = [
      audio({ streamIndex: 1, channels: 6, sampleRate: 48_000, language: 'eng' }),
      audio({ streamIndex: 2, channels: 1, sampleRate: 22_050, language: 'ger', isDefault: true, title: 'Kommentar' }),
      audio({ streamIndex: 5, channels: 2, sampleRate: 8_000 }),
    ];
    const plan = planVideo(facts({ audio: tracks }), SETTINGS);
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
    const plan = planVideo(facts({ video: undefined, audio: [audio({})] }), SETTINGS);
    expect(plan).toMatchObject({ kind: 'audio', rungs: [], chunks: [], audio: [{ name: 'audio-0', isDefault: true }] });
    expect(plan.grid).toBeUndefined();
  });

  test('fits a payload, even for the longest video in the smallest chunks with many tracks', () => {
    const many = Array.from({ length: 16 }, (_, streamIndex) =>
      audio({ streamIndex, language: 'eng', title: 'x'.repeat(64) }),
    );
    const long = facts({ audio: many, duration: 43_200 });
    const plan = planVideo({ ...long, video: { ...long.video!, duration: 43_200 } }, { ...SETTINGS, chunkSegments: 1 });
    expect(JSON.stringify(plan).length).toBeLessThan(16_384);
  });
});
