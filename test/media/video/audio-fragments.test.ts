/** Audio fragments put together and taken apart. */
import { describe, expect, test } from '@jest/globals';

import { aacFrames, audioSegment } from '../../../src/media/video/audio-fragments.js';
import { readFragment } from '../../../src/media/video/mp4.js';

const frames = [3, 700, 1, 65_000].map((length, i) => Buffer.alloc(length, i + 1));

describe('a segment', () => {
  test('holds its frames, at its place in time', () => {
    const bytes = audioSegment(7, 2 ** 33, frames);
    expect(aacFrames(bytes)).toEqual(frames);
    expect(readFragment(bytes)).toMatchObject({ start: 2 ** 33 * 1024, samples: 4, startsWithSync: true });
  });

  test('points at its data', () => {
    const bytes = audioSegment(0, 0, frames);
    const moof = bytes.indexOf('moof') - 4;
    const trun = bytes.indexOf('trun');
    expect(moof + bytes.readInt32BE(trun + 12)).toBe(bytes.indexOf('mdat') + 4);
  });
});

test('several fragments in one file are read one after another', () => {
  const file = Buffer.concat([audioSegment(0, 0, frames.slice(0, 2)), audioSegment(1, 2, frames.slice(2))]);
  expect(aacFrames(file)).toEqual(frames);
});

test.each([
  ['too little data', (bytes: Buffer) => bytes.writeUInt32BE(9999, bytes.indexOf('trun') + 16)],
  ['more frames than sizes', (bytes: Buffer) => bytes.writeUInt32BE(2 ** 31, bytes.indexOf('trun') + 8)],
])('%s is refused', (_what, spoil) => {
  const bytes = audioSegment(0, 0, frames);
  spoil(bytes);
  expect(() => aacFrames(bytes)).toThrow(RangeError);
});
