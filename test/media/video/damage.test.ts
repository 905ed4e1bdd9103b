import { expect, test } from '@jest/globals';

import { damagedFrames } from '../../../src/media/video/damage.js';

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

test('a frame that H.264 handed on before it was marked is damaged too', () => {
  const stderr = '[h264 @ 0x1] cbp too large (62) at 3 4\n[h264 @ 0x1] error while decoding MB 3 4\n';
  expect(damagedFrames(stderr)).toBe(1);
  expect(damagedFrames('[h264 @ 0x1] Increasing reorder buffer to 2\n')).toBe(0);
});
