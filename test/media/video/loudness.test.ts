/** What ebur128 reports, and the gain that follows from it. */
import { describe, expect, test } from '@jest/globals';

import { gainFor, readLoudness } from '../../../src/media/video/loudness.js';

const summary = (
  integrated: string,
  threshold: string,
  peak?: string,
): string => `[Parsed_ebur128_2 @ 0x55de5b67ca40] Summary:

  Integrated loudness:
    I:         ${integrated} LUFS
    Threshold: ${threshold} LUFS

  Loudness range:
    LRA:         0.0 LU
    Threshold: -41.8 LUFS
    LRA low:   -21.8 LUFS
    LRA high:  -21.8 LUFS
${peak === undefined ? '' : `\n  True peak:\n    Peak:      ${peak} dBFS\n`}`;
/** Of the graph that ffmpeg builds only to look at it. */
const unused = summary('0.0', ' 0.0', '-inf').replace('-41.8', '0.0');

describe('a report', () => {
  test('says how loud a sound is', () => {
    const stderr = `${unused}Stream mapping:\n    title : Summary:\n${summary('-21.8', '-31.8', '-20.9')}`;
    expect(readLoudness(stderr)).toEqual({ loudness: { integrated: -21.8, truePeak: -20.9 }, changesFormat: false });
    expect(readLoudness(unused + summary('-8.1', '-18.3', '3.5')).loudness).toEqual({
      integrated: -8.1,
      truePeak: 3.5,
    });
  });

  test('of silence, of too little sound and without peaks says nothing', () => {
    expect(readLoudness(unused + summary('-70.0', '-70.0', '-inf')).loudness).toBeUndefined();
    expect(readLoudness(unused + summary('-70.0', '-70.0', '-12.0')).loudness).toBeUndefined();
    expect(readLoudness(unused + summary('-23.0', '-33.0')).loudness).toBeUndefined();
    expect(readLoudness('')).toEqual({ loudness: undefined, changesFormat: false });
  });

  test('of several parts says that the format changes', () => {
    const parts = unused + summary('-21.8', '-31.8', '-20.9') + summary('-18.8', '-28.8', '-15.9');
    expect(readLoudness(parts).changesFormat).toBe(true);
  });
});

describe('a gain', () => {
  const plan = { target: -16, truePeak: -1 };
  test.each([
    ['up to the target', { integrated: -20, truePeak: -12 }, 4],
    ['down to the target', { integrated: -8.5, truePeak: -0.5 }, -7.5],
    ['no further than the peaks allow, and what the encoder adds to them', { integrated: -20, truePeak: -4 }, 2.5],
    ['down where peaks are too high already', { integrated: -17, truePeak: 0.5 }, -2],
    ['no more than a recording bears', { integrated: -60, truePeak: -50 }, 20],
  ])('%s', (_what, loudness, gain) => expect(gainFor(loudness, plan)).toBeCloseTo(gain, 9));

  test('is 0 where nothing was measured or nothing is asked for', () => {
    expect(gainFor(undefined, plan)).toBe(0);
    expect(gainFor({ integrated: -30, truePeak: -20 }, undefined)).toBe(0);
  });
});
