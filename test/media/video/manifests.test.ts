import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Parser } from 'm3u8-parser';
import { parse as parseMpd } from 'mpd-parser';

import { dashManifest } from '../../../src/media/video/dash.js';
import { masterPlaylist } from '../../../src/media/video/hls-master.js';
import { iframePlaylist, mediaPlaylist, subtitlePlaylist, targetDuration } from '../../../src/media/video/hls.js';
import { manifestFiles } from '../../../src/media/video/manifests.js';
import { durationOf, languageTag, labelsOf, type Presentation } from '../../../src/media/video/presentation.js';
import { growing, measured, plan, rung, track } from './presentation-fixture.js';

const parse = (text: string) => {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
};
const linesOf = (text: string, tag: string): string[] => text.split('\n').filter((line) => line.startsWith(tag));
const soundOnly = (own: Parameters<typeof plan>[0] = {}): Presentation =>
  measured(plan({ kind: 'audio', grid: undefined, rungs: [], subtitles: [], stills: { posterFrames: [] }, ...own }));

test('all files of a video', () => {
  const files = manifestFiles(measured(), [10.01]);
  expect([...files.keys()]).toEqual([
    ...['1080p', '720p', '360p'].flatMap((name) => [`video/${name}/index.m3u8`, `video/${name}/iframes.m3u8`]),
    ...['audio-0-eng', 'audio-1-eng-surround', 'audio-2-fra', 'audio-3'].map((name) => `audio/${name}/index.m3u8`),
    'subs/subs-0-eng/index.m3u8',
    'subs/subs-1-eng/index.m3u8',
    'master.m3u8',
    'manifest.mpd',
  ]);
  for (const [name, text] of files) expect(text).toMatchSnapshot(name);
});

test('every variant is there with each group of sound, the one near 2 Mb/s first', () => {
  const { playlists, mediaGroups, iFramePlaylists } = parse(masterPlaylist(measured()));
  expect(playlists.map(({ uri, attributes }) => [uri, attributes.AUDIO, attributes.BANDWIDTH])).toEqual([
    ['video/720p/index.m3u8', 'audio', 3_000_000 + 130_560],
    ['video/1080p/index.m3u8', 'audio', 6_000_000 + 130_560],
    ['video/360p/index.m3u8', 'audio', 900_000 + 130_560],
    ['video/720p/index.m3u8', 'audio-surround', 3_000_000 + 326_400],
    ['video/1080p/index.m3u8', 'audio-surround', 6_000_000 + 326_400],
    ['video/360p/index.m3u8', 'audio-surround', 900_000 + 326_400],
  ]);
  expect(playlists[0]!.attributes).toMatchObject({
    'AVERAGE-BANDWIDTH': '2128000',
    CODECS: 'avc1.64001f,mp4a.40.2,wvtt',
    RESOLUTION: { width: 1280, height: 720 },
    'FRAME-RATE': 29.97,
    SUBTITLES: 'subs',
    'CLOSED-CAPTIONS': 'NONE',
  });
  expect(iFramePlaylists.map(({ uri }) => uri)).toEqual(
    ['1080p', '720p', '360p'].map((name) => `video/${name}/iframes.m3u8`),
  );
  // RFC 8216, 4.3.4.1.1: groups of a type have the same members.
  const { audio, 'audio-surround': surround } = mediaGroups.AUDIO;
  expect(Object.keys(surround!)).toEqual(Object.keys(audio!));
  expect(Object.entries(audio!).map(([name, { uri, language, default: first }]) => [name, uri, language, first])).toEqual([
    ['English', 'audio/audio-0-eng/index.m3u8', 'en', true],
    ['French', 'audio/audio-2-fra/index.m3u8', 'fr', false],
    ["Say 'hi' & <go>", 'audio/audio-3/index.m3u8', 'und', false],
  ]); // prettier-ignore
  expect(surround!.English!.uri).toBe('audio/audio-1-eng-surround/index.m3u8');
  expect(surround!.French!.uri).toBe('audio/audio-2-fra/index.m3u8');
  const { subs } = mediaGroups.SUBTITLES;
  expect(subs).toMatchObject({
    English: { default: true, autoselect: true, forced: false },
    Signs: { default: false, forced: true },
  });
});

test('while it is being encoded the lowest rung is first, rates are bounds, and nothing is named that is not known yet', () => {
  const text = masterPlaylist(growing());
  const { playlists, mediaGroups, iFramePlaylists } = parse(text);
  expect(playlists[0]!.uri).toBe('video/360p/index.m3u8');
  // 2.8 Mb/s and what the decoder's buffer of 5.6 Mb adds to a segment of 4.004 s.
  expect(playlists.find(({ uri }) => uri.includes('720p'))!.attributes.BANDWIDTH).toBe(2_800_000 + 1_398_602 + 160_000);
  expect(text).not.toContain('AVERAGE-BANDWIDTH');
  expect(iFramePlaylists).toEqual([]);
  expect(mediaGroups.SUBTITLES).toEqual({});
});

test('one sound track alone is a variant; several languages are a group of one variant', () => {
  const one = masterPlaylist(soundOnly({ audio: [track({})] }));
  expect(linesOf(one, '#EXT-X-MEDIA')).toEqual([]);
  expect(linesOf(one, '#EXT-X-STREAM-INF')).toHaveLength(1);
  const two = parse(
    masterPlaylist(
      soundOnly({ audio: [track({}), track({ name: 'b', streamIndex: 2, language: 'deu', isDefault: false })] }),
    ),
  );
  expect(two.playlists.map(({ uri }) => uri)).toEqual(['audio/audio-0-eng/index.m3u8']);
  expect(Object.keys(two.mediaGroups.AUDIO.audio!)).toEqual(['English', 'German']);
});

test('without sound there is no group', () => {
  const text = masterPlaylist(measured(plan({ audio: [] })));
  expect(text).not.toContain('AUDIO');
  expect(parse(text).playlists).toHaveLength(3);
});

test('media playlists name every segment and are exact to the tick', () => {
  const presentation = measured();
  const { timeline, iframes } = presentation.video[0]!;
  const target = targetDuration(presentation);
  const { segments, targetDuration: written, endList, playlistType } = parse(mediaPlaylist(timeline, target));
  expect(segments.map(({ uri, duration }) => [uri, duration])).toEqual([
    ['seg-00000.m4s', 4.004],
    ['seg-00001.m4s', 4.004],
    ['seg-00002.m4s', 2.002],
  ]);
  expect({ written, endList, playlistType }).toEqual({ written: 4, endList: true, playlistType: 'VOD' });
  expect(segments[0]!.map.uri).toBe('init.mp4');
  const pictures = parse(iframePlaylist(timeline, iframes!, target));
  expect(pictures.iFramesOnly).toBe(true);
  expect(pictures.segments.map(({ byterange }) => byterange)).toEqual(
    [60_000, 50_000, 40_000].map((length) => ({ length, offset: 0 })),
  );
  expect(parse(subtitlePlaylist([6, 4.01])).segments.map(({ uri }) => uri)).toEqual(['seg-00000.vtt', 'seg-00001.vtt']);
});

test('a second of video has a target of one second', () => {
  const short = measured(plan({ grid: { ...plan().grid!, totalFrames: 1 } }));
  expect(mediaPlaylist(short.video[0]!.timeline, targetDuration(short))).toContain('#EXT-X-TARGETDURATION:1\n');
});

test('DASH says the same of the same segments', () => {
  const presentation = measured(
    plan({ rungs: [...plan().rungs, rung({ name: '720p-hevc', codec: 'hevc', codecs: 'hvc1.1.6.L93.B0' })] }),
  );
  const text = dashManifest({
    ...presentation,
    video: presentation.video.map((stream) => ({ ...stream, bandwidth: { peak: 1e6, average: 9e5 } })),
  });
  expect(text.match(/<AdaptationSet contentType="[a-z]*"/g)).toEqual(
    ['video', 'video', 'audio', 'audio', 'audio', 'audio', 'text', 'text', 'image'].map(
      (type) => `<AdaptationSet contentType="${type}"`,
    ),
  );
  const { playlists, mediaGroups, duration } = parseMpd(text, { manifestUri: 'https://x/a/manifest.mpd' });
  expect(duration).toBeCloseTo(10.01, 6);
  expect(playlists.map(({ attributes }) => [attributes.NAME, attributes.CODECS, attributes.RESOLUTION])).toEqual([
    ['1080p', 'avc1.640028', { width: 1920, height: 1080 }],
    ['720p', 'avc1.64001f', { width: 1280, height: 720 }],
    ['360p', 'avc1.64001e', { width: 640, height: 360 }],
    ['720p-hevc', 'hvc1.1.6.L93.B0', { width: 1280, height: 720 }],
  ]);
  expect(playlists[0]!.segments.map(({ resolvedUri, duration: seconds, map }) => [resolvedUri, seconds, map.resolvedUri])).toEqual(
    [4.004, 4.004, 2.002].map((seconds, i) => [
      `https://x/a/video/1080p/seg-0000${i}.m4s`,
      seconds,
      'https://x/a/video/1080p/init.mp4',
    ]),
  ); // prettier-ignore
  const french = Object.values(mediaGroups.AUDIO.audio).find(({ language }) => language === 'fr')!;
  const seconds = french.playlists[0]!.segments.reduce((sum, segment) => sum + segment.duration, 0);
  expect(seconds).toBeCloseTo(durationOf(presentation.audio[2]!.timeline), 6);
  expect(Object.values(mediaGroups.SUBTITLES.subs).map(({ playlists: [one] }) => one!.resolvedUri)).toEqual([
    'https://x/a/subs/subs-0-eng/subs.vtt',
    'https://x/a/subs/subs-1-eng/subs.vtt',
  ]);
  expect(text).toContain('value="forced-subtitle"');
  expect(text).toContain('<EssentialProperty schemeIdUri="http://dashif.org/guidelines/thumbnail_tile" value="5x2"/>');
  expect(text).toContain('value="6"');
});

test('titles are shown as they are and break nothing, whatever they are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (title) => {
      // The parsers keep labels as keys of plain objects.
      fc.pre(!Object.getOwnPropertyNames(Object.prototype).some((name) => title.includes(name)));
      const presentation = measured(plan({ audio: [track({ title })], stills: { posterFrames: [] } }));
      const master = masterPlaylist(presentation);
      expect(parse(master).playlists).toHaveLength(3);
      expect(linesOf(master, '#EXT-X-MEDIA:TYPE=AUDIO')).toHaveLength(1);
      const mpd = dashManifest(presentation);
      const { playlists, mediaGroups } = parseMpd(mpd, { manifestUri: 'https://x/manifest.mpd' });
      expect(playlists).toHaveLength(3);
      expect(Object.keys(mediaGroups.AUDIO.audio)).toHaveLength(1);
      if (/^[\p{L} &<>"']*$/u.test(title.trim()) && title.trim() !== '')
        expect(mpd).toContain(`<Label>${title.trim().replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;').replace(/'/g, '&apos;')}</Label>`);
    }),
    { numRuns: 300 },
  ); // prettier-ignore
});

test.each([
  ['eng', 'en'],
  ['fre', 'fr'],
  ['pt_BR', 'pt-BR'],
  ['zho', 'zh'],
  ['und', undefined],
  ['x"; DROP', undefined],
  ['', undefined],
  [undefined, undefined],
])('language %s is %s', (source, tag) => expect(languageTag(source)).toBe(tag));

test('labels differ', () => {
  expect(labelsOf([{ name: 'a', language: 'eng' }, { name: 'b', language: 'eng' }, { name: 'c', title: 'English (2)' }, { name: 'd' }])).toEqual(
    ['English', 'English (2)', 'English (2) (2)', 'd'],
  ); // prettier-ignore
});
