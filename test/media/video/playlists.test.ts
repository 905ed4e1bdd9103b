import { expect, test } from '@jest/globals';

import type { AudioTrack, VideoRung } from '../../../src/contracts/plan.js';
import { averageBitrate, peakBitrate } from '../../../src/media/video/bitrate.js';
import { ladder } from '../../../src/media/video/ladder.js';
import { masterPlaylist, mediaPlaylist } from '../../../src/media/video/playlists.js';

const fps = { num: 30_000, den: 1001 };
const variant = (rung: VideoRung, peak: number) => ({
  rung,
  fps,
  codecs: 'avc1.64001f',
  bandwidth: { peak, average: peak / 2 },
  uri: `video/${rung.name}/index.m3u8`,
});
const sound = (own: Partial<AudioTrack>) => ({
  track: {
    name: 'audio-0',
    streamIndex: 1,
    isDefault: true,
    channels: 2,
    bitrateKbps: 128,
    sampleRate: 48_000,
    ...own,
  },
  codecs: 'mp4a.40.2',
  bandwidth: { peak: 131_000, average: 128_000.2 },
  uri: `audio/${own.name ?? 'audio-0'}/index.m3u8`,
});

test('a media playlist', () => {
  expect(mediaPlaylist([4.004, 4.004, 1.001])).toMatchSnapshot();
});

test('one frame', () => {
  expect(mediaPlaylist([0.04])).toContain('#EXT-X-TARGETDURATION:1\n');
});

test('a master playlist with two languages', () => {
  const rungs = ladder(1280, 720, 29.97, 'veryfast').slice(0, 2);
  const tracks = [
    sound({ name: 'audio-0-eng', language: 'eng', title: 'English "original"' }),
    sound({ name: 'audio-1', isDefault: false, channels: 1 }),
  ];
  expect(masterPlaylist(rungs.map((rung, i) => variant(rung, 2_000_000 / (i + 1))), tracks)).toMatchSnapshot(); // prettier-ignore
});

test('tracks of the same language have different names', () => {
  const playlist = masterPlaylist(
    [variant(ladder(640, 360, 30, 'x')[0]!, 900_000)],
    [sound({ language: 'eng' }), sound({ language: 'eng' })],
  );
  expect(playlist.match(/NAME="[^"]*"/g)).toEqual(['NAME="eng"', 'NAME="eng (2)"']);
});

test('a master playlist without sound', () => {
  expect(masterPlaylist([variant(ladder(640, 360, 30, 'x')[0]!, 900_000)], [])).toMatchSnapshot();
});

test('a master playlist of sound only', () => {
  expect(masterPlaylist([], [sound({})])).toMatchSnapshot();
});

test('a last segment of one frame does not make the peak', () => {
  const segments = [{ bytes: 500_000, seconds: 4 }, { bytes: 400_000, seconds: 4 }, { bytes: 30_000, seconds: 0.04 }]; // prettier-ignore
  expect(peakBitrate(segments)).toBe(1_000_000);
  expect(averageBitrate(segments)).toBe(Math.ceil(7_440_000 / 8.04));
  expect(peakBitrate([{ bytes: 1000, seconds: 0.04 }])).toBe(200_000);
  expect(peakBitrate([])).toBe(0);
});
