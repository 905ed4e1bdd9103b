import { describe, expect, test } from '@jest/globals';

import {
  chunkFrom,
  commonPrefix,
  firstMissing,
  firstOfStills,
  stillsOf,
} from '../../../src/media/video/chunk-result.js';
import {
  compareCommand,
  framesOfSamples,
  lowestSsim,
  samplesOf,
  withReference,
} from '../../../src/media/video/quality.js';
import { ffmpegArguments } from '../../../src/tools/ffmpeg/command.js';

const grid = { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames: 1_030 };
const rung = {
  ...{ name: '360p', width: 640, height: 360, codec: 'h264' as const, crf: 23, maxrateKbps: 800, bufsizeKbps: 1600 },
  ...{ preset: 'veryfast', level: '3.0', codecs: 'avc1.64001e' },
};

describe('samples of a chunk', () => {
  test('its borders, and the middle of a long one', () => {
    expect(samplesOf(grid, { firstSegment: 0, segments: 1 })).toEqual([{ segment: 0, from: 0, count: 2 }, { segment: 0, from: 98, count: 2 }]); // prettier-ignore
    expect(samplesOf(grid, { firstSegment: 3, segments: 2 })).toEqual([{ segment: 3, from: 0, count: 2 }, { segment: 4, from: 98, count: 2 }]); // prettier-ignore
    expect(framesOfSamples(grid, samplesOf(grid, { firstSegment: 6, segments: 5 }))).toEqual([600, 601, 800, 801, 1028, 1029]); // prettier-ignore
  });

  test.each([
    [1, [0]],
    [2, [0, 1]],
    [3, [0, 1, 2]],
    [101, [0, 1, 100]],
  ])('none twice in a video of %d frames', (totalFrames, frames) => {
    const short = { ...grid, totalFrames };
    expect(framesOfSamples(short, samplesOf(short, { firstSegment: 0, segments: Math.ceil(totalFrames / 100) }))).toEqual(frames); // prettier-ignore
  });

  test('only as far as there are references', () => {
    const samples = samplesOf(grid, { firstSegment: 0, segments: 4 });
    expect(withReference(samples, 6)).toEqual(samples);
    expect(withReference(samples, 3)).toEqual([samples[0], { ...samples[1], count: 1 }]);
    expect(withReference(samples, 0)).toEqual([]);
  });
});

describe('the comparison', () => {
  test('decodes the GOPs that hold the samples', () => {
    const command = compareCommand(rung, grid, samplesOf(grid, { firstSegment: 3, segments: 3 }));
    expect(ffmpegArguments(command).join(' ').replace(/ (?=-[a-z]|\.\/|\[0)|;(?=\[)/g, '\n')).toMatchSnapshot(); // prettier-ignore
  });

  test.each([
    [{ width: 1080, height: 1920 }, 'scale=w=90:h=160:flags=area'],
    [{ width: 640, height: 360 }, 'scale=w=160:h=90:flags=area'],
    [{ width: 160, height: 90 }, undefined],
    [{ width: 8, height: 4 }, 'scale=w=64:h=32:flags=neighbor'],
  ])(
    'is made at a size at which lost detail does not count, and the filter has something to look at: %j',
    (size, scale) => {
      const { filterGraph } = compareCommand(
        { ...rung, ...size },
        grid,
        samplesOf(grid, { firstSegment: 3, segments: 3 }),
      );
      expect(filterGraph!.match(/scale=[^,;[]*/g) ?? []).toEqual(scale ? [scale, scale] : []);
    },
  );

  test('reads the lowest frame; what is not there resembles nothing', () => {
    const log = 'n:1 Y:0.99 U:0.98 V:0.97 All:0.985000 (18.2)\nn:2 Y:0.9 U:0.9 V:0.9 All:0.91 (10.4)\n';
    expect(lowestSsim(log, 2)).toBe(0.91);
    expect(lowestSsim(log, 3)).toBe(0);
    expect(lowestSsim('', 1)).toBe(0);
    expect(lowestSsim('n:1 All:nan (nan)', 1)).toBe(0);
    expect(lowestSsim('n:1 All:1.000000 (inf)', 1)).toBe(1);
  });
});

describe('what a chunk is to leave', () => {
  const stills = {
    posterFrames: [99, 100, 250],
    storyboard: {
      intervalFrames: 75,
      tiles: 14,
      tileWidth: 160,
      tileHeight: 90,
      columns: 4,
      rows: 4,
      format: 'webp' as const,
    },
  };

  test('stills: each in one chunk, and none lost between them', () => {
    expect(stillsOf(stills, grid, { firstSegment: 1, segments: 2 })).toEqual({
      posterFrames: [100, 250],
      tiles: [2, 3],
    });
    const each = Array.from({ length: 11 }, (_, firstSegment) => stillsOf(stills, grid, { firstSegment, segments: 1 }));
    expect(each.flatMap(({ posterFrames }) => posterFrames)).toEqual(stills.posterFrames);
    expect(each.flatMap(({ tiles }) => tiles)).toEqual(Array.from({ length: 14 }, (_, i) => i));
    expect(stillsOf({ posterFrames: [] }, grid, { firstSegment: 0, segments: 11 })).toEqual({
      posterFrames: [],
      tiles: [],
    });
  });

  test('where to begin', () => {
    const chunk = { firstSegment: 2, segments: 3 };
    expect(firstMissing(chunk, [new Set([2, 3, 4]), new Set([2, 4])])).toBe(3);
    expect(firstMissing(chunk, [new Set([2, 3, 4])])).toBe(5);
    expect(firstMissing(chunk, [])).toBe(5);
    expect(chunkFrom(chunk, 4)).toEqual({ firstSegment: 4, segments: 1 });
    expect(firstOfStills({ posterFrames: [250], tiles: [3] }, stills, grid)).toBe(2);
    expect(firstOfStills({ posterFrames: [], tiles: [] }, stills, grid)).toBe(Infinity);
  });

  test('what to list', () => {
    expect(commonPrefix('seg-00012.m4s', 'seg-00018.m4s')).toBe('seg-0001');
    expect(commonPrefix('seg-00007.m4s', 'seg-00007.m4s')).toBe('seg-00007.m4s');
    expect(commonPrefix('seg-99999.m4s', 'seg-100001.m4s')).toBe('seg-');
  });
});
