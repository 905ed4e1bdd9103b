import { isPlain, splitGeneration, targetOf } from '../../../src/starters/http/play/targets.js';
import { planOf, subtitles } from '../../support/playable.js';

const plan = planOf(10, {
  subtitles: [subtitles('subs-0-eng')],
  stills: {
    posterFrames: [],
    storyboard: { intervalFrames: 25, tiles: 10, tileWidth: 160, tileHeight: 90, columns: 5, rows: 2, format: 'jpeg' },
  },
});

it.each([
  ['master.m3u8', { kind: 'document', mime: 'playlist' }],
  ['manifest.mpd', { kind: 'document', mime: 'manifest' }],
  ['video/720p/index.m3u8', { kind: 'document', mime: 'playlist' }],
  ['video/720p/iframes.m3u8', { kind: 'document', mime: 'playlist' }],
  ['video/720p/init.mp4', { kind: 'media', type: 'video', name: '720p', segment: 0 }],
  ['video/360p/seg-00002.m4s', { kind: 'media', type: 'video', name: '360p', segment: 2 }],
  ['audio/audio-0-eng/index.m3u8', { kind: 'document', mime: 'playlist' }],
  ['audio/audio-0-eng/seg-00000.m4s', { kind: 'media', type: 'audio', name: 'audio-0-eng', segment: 0 }],
  ['subs/subs-0-eng/index.m3u8', { kind: 'document', mime: 'playlist' }],
  ['subs/subs-0-eng/seg-00000.vtt', { kind: 'awaited' }],
  ['subs/subs-0-eng/subs.vtt', { kind: 'awaited' }],
  ['storyboard/storyboard.vtt', { kind: 'document', mime: 'subtitles' }],
  ['storyboard/sheet-000.jpg', { kind: 'extra' }],
  ['images/poster.jpg', { kind: 'extra' }],
  ['images/poster-640.webp', { kind: 'extra' }],
])('%s', (path, target) => {
  expect(isPlain(path)).toBe(true);
  expect(targetOf(plan, path)).toEqual(target);
});

it.each([
  '',
  'plan.json',
  'made.json',
  'asset.json',
  'poster.jpg',
  'images/thumb.jpg',
  'video',
  'video/720p',
  'video/720p/',
  'video/1080p/index.m3u8',
  'video/720p/seg-00003.m4s',
  'video/720p/seg-0.m4s',
  'video/720p/seg-99999999999999999999.m4s',
  'video/720p/seg-00000.m4s/x',
  'video/audio-0-eng/index.m3u8',
  'audio/720p/index.m3u8',
  'audio/audio-0-eng/iframes.m3u8',
  'audio/audio-0-eng/seg-00009.m4s',
  'subs/subs-0-fra/subs.vtt',
  'subs/subs-0-eng/seg-00001.vtt',
  'work/audio/audio-0-eng/seg-00000.m4s',
  'work/tiles/00000000.jpg',
  'storyboard/other.vtt',
  'video/constructor/index.m3u8',
  '__proto__',
])('nothing is at %p', (path) => {
  expect(targetOf(plan, path)).toBeUndefined();
});

it.each([
  '../x',
  'a/../b',
  '..',
  '/etc/passwd',
  'a//b',
  'a\\b',
  'a b',
  'a%2fb',
  'ü',
  'a\0',
  'a\n',
  '.hidden',
  'a/b/c/d',
])('no plan could know %p', (path) => {
  expect(isPlain(path)).toBe(false);
});

it('tells the generation from the rest', () => {
  expect(splitGeneration('g12/video/720p/init.mp4')).toEqual({ generation: 12, rest: 'video/720p/init.mp4' });
  for (const path of ['master.m3u8', 'g0/x', 'g-1/x', 'g1', 'g12345678901/x', 'G1/x'])
    expect(splitGeneration(path)).toEqual({ generation: undefined, rest: path });
});
