import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Parser } from 'm3u8-parser';
import { parse as parseMpd } from 'mpd-parser';

import {
  withHlsAddresses,
  withMpdAddresses,
  withMpdLists,
  withSheetAddresses,
} from '../../../src/media/video/addresses.js';
import { dashManifest } from '../../../src/media/video/dash.js';
import { masterPlaylist } from '../../../src/media/video/hls-master.js';
import { iframePlaylist, mediaPlaylist } from '../../../src/media/video/hls.js';
import { growing, measured, plan, track } from './presentation-fixture.js';

const signed = (uri: string): string => `https://store.example/media/${uri}?a=1&s=${uri.length}`;

const parse = (text: string) => {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
};

test('media playlists: segments and their init file', () => {
  const presentation = measured();
  const { timeline, iframes } = presentation.video[0]!;
  for (const text of [mediaPlaylist(timeline, 4), iframePlaylist(timeline, iframes!, 4)]) {
    const before = parse(text);
    const after = parse(withHlsAddresses(text, signed));
    expect(after.segments.map(({ uri }) => uri)).toEqual(before.segments.map(({ uri }) => signed(uri)));
    expect(after.segments[0]!.map.uri).toBe(signed('init.mp4'));
    expect(after.segments.map(({ duration, byterange }) => [duration, byterange])).toEqual(
      before.segments.map(({ duration, byterange }) => [duration, byterange]),
    );
  }
});

test('the master playlist: variants, tracks and I-frames, whatever titles look like', () => {
  const sly = measured(plan({ audio: [track({}), track({ name: 'b', streamIndex: 2, title: 'x,URI="y", URI=' })] }));
  const text = masterPlaylist(sly);
  const named: string[] = [];
  const after = withHlsAddresses(text, (uri) => {
    named.push(uri);
    return `${uri}?token=t`;
  });
  expect(named.every((uri) => /^(video|audio|subs)\/[\w-]+\/(index|iframes)\.m3u8$/.test(uri))).toBe(true);
  expect(named).toHaveLength(text.split('.m3u8').length - 1);
  expect(after.replaceAll('?token=t', '')).toBe(text);
});

test('manifests keep their templates', () => {
  const text = dashManifest(measured());
  const after = withMpdAddresses(text, (uri) => `${uri}?token=t&x`);
  expect(after).toContain('initialization="video/$RepresentationID$/init.mp4?token=t&amp;x"');
  expect(after).toContain('media="video/$RepresentationID$/seg-$Number%05d$.m4s?token=t&amp;x"');
  expect(after).toContain('media="storyboard/sheet-$Number%03d$.jpg?token=t&amp;x"');
  expect(after).toContain('<BaseURL>subs/subs-0-eng/subs.vtt?token=t&amp;x</BaseURL>');
  expect(after.replaceAll('?token=t&amp;x', '')).toBe(text);
});

const HERE = 'https://play.example/';
type Segments = { uri: string; init: string; duration: number }[];
/** All segments by the names of their representations. */
function segmentsOf(text: string): [unknown, Segments][] {
  const { playlists, mediaGroups } = parseMpd(text, { manifestUri: HERE });
  const audio = Object.values(mediaGroups.AUDIO.audio ?? {}).flatMap((group) => group.playlists);
  return [...playlists, ...audio].map(({ attributes, segments }) => [
    attributes.NAME,
    segments.map(({ resolvedUri, duration, map }) => ({ uri: resolvedUri, init: map.resolvedUri, duration })),
  ]);
}

test.each([
  ['what is published', measured()],
  ['what grows', growing()],
  ['sound alone', measured(plan({ kind: 'audio', grid: undefined, rungs: [], stills: { posterFrames: [] } }))],
])('lists name what the templates did, at the same times: %s', (_, presentation) => {
  const text = dashManifest(presentation);
  const before = segmentsOf(text);
  const listed = withMpdLists(text, signed);
  expect(listed).not.toContain('SegmentTemplate');
  expect(before.flatMap(([, segments]) => segments).length).toBeGreaterThan(2);
  const direct = (uri: string): string => signed(uri.slice(HERE.length));
  expect(segmentsOf(listed)).toEqual(
    before.map(([name, segments]) => [
      name,
      segments.map(({ uri, init, duration }) => ({ uri: direct(uri), init: direct(init), duration })),
    ]),
  );
});

test('lists have the sheets of the storyboard, and subtitles', () => {
  const text = withMpdLists(dashManifest(measured()), (uri) => `https://cdn/${uri}`);
  expect(text).toContain('<BaseURL>https://cdn/subs/subs-0-eng/subs.vtt</BaseURL>');
  expect(text.match(/https:\/\/cdn\/storyboard\/sheet-\d{3}\.jpg/g)).toEqual(['https://cdn/storyboard/sheet-000.jpg']);
});

test('sheets of a storyboard', () => {
  const text = 'WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nsheet-000.jpg#xywh=0,0,160,90\n';
  expect(withSheetAddresses(text, (uri) => `https://cdn/${uri}?a`)).toBe(
    'WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nhttps://cdn/sheet-000.jpg?a#xywh=0,0,160,90\n',
  );
});

test('texts of titles are nobody’s addresses', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (title) => {
      const sly = measured(plan({ audio: [track({ title })] }));
      for (const [text, rewrite] of [
        [dashManifest(sly), withMpdAddresses],
        [masterPlaylist(sly), withHlsAddresses],
      ] as const)
        expect(rewrite(text, (uri) => uri)).toBe(text);
    }),
  );
});
