/** The DASH manifest (ISO/IEC 23009-1, live profile, static) of the same segments that the HLS playlists name. */
import type { AudioTrack, Rational, SubtitleTrack, VideoCodec } from '../../contracts/plan.js';
import { INIT_FILE, MIME, STORYBOARD_URI, streamUri, SUBTITLE_FILE, subtitleUri, type StreamType } from './layout.js';
import {
  durationOf,
  labelOf,
  labelsOf,
  languageTag,
  type AudioStream,
  type Bandwidth,
  type Presentation,
  type Storyboard,
  type Timeline,
} from './presentation.js';

const PROFILES = 'urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019';
const ROLE = 'urn:mpeg:dash:role:2011';
const CHANNELS = 'urn:mpeg:dash:23003:3:audio_channel_configuration:2011';
const TILES = 'http://dashif.org/guidelines/thumbnail_tile';
/** What a player holds before it starts: one segment. Seconds. */
const MIN_BUFFER = 4;
/** WebVTT is a few hundred bits a second; a number is required. */
const TEXT_BPS = 1000;
const STEREO = 2;
/** As `segmentName` of layout.ts writes it. */
const SEGMENT_TEMPLATE = 'seg-$Number%05d$.m4s';

/** All URIs are relative to the manifest's own folder, the generation's prefix. */
export function dashManifest(presentation: Presentation): string {
  const { video, audio, subtitles, storyboard } = presentation;
  // The picture's length where there is one: sound may end within a frame of it.
  const lead = video[0] ?? audio[0];
  const duration = lead ? durationOf(lead.timeline) : 0;
  const codecs = [...new Set(video.map(({ rung }) => rung.codec))];
  const sets = [
    ...codecs.map((codec) => videoSet(presentation, codec)),
    ...audioSets(audio),
    ...textSets(subtitles),
    ...(storyboard && presentation.grid ? [imageSet(storyboard, presentation.grid.fps, duration)] : []),
  ];
  const root = element(
    'MPD',
    {
      xmlns: 'urn:mpeg:dash:schema:mpd:2011',
      profiles: PROFILES,
      type: 'static',
      mediaPresentationDuration: iso(duration),
      minBufferTime: iso(MIN_BUFFER),
    },
    [element('Period', { id: '0', start: 'PT0S' }, sets)],
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
}

/** Players switch within a set and never between codecs: each has its own. */
function videoSet({ video, grid }: Presentation, codec: VideoCodec): string {
  const rungs = video.filter(({ rung }) => rung.codec === codec);
  return element(
    'AdaptationSet',
    {
      contentType: 'video',
      mimeType: MIME.video,
      segmentAlignment: 'true',
      startWithSAP: '1',
      maxWidth: Math.max(...rungs.map(({ rung }) => rung.width)),
      maxHeight: Math.max(...rungs.map(({ rung }) => rung.height)),
      frameRate: grid && ratio(grid.fps),
    },
    [
      role('main'),
      segments('video', rungs[0]!.timeline),
      ...rungs.map(({ rung, codecs, bandwidth }) =>
        element('Representation', {
          id: rung.name,
          bandwidth: bits(bandwidth),
          codecs,
          width: rung.width,
          height: rung.height,
          sar: '1:1',
        }),
      ),
    ],
  );
}

function audioSets(audio: readonly AudioStream[]): string[] {
  const labels = labelsOf(audio.map(({ track }) => ({ name: track.name, title: soundLabel(track) })));
  return audio.map(({ track, codecs, bandwidth, timeline }, i) =>
    element(
      'AdaptationSet',
      {
        contentType: 'audio',
        mimeType: MIME.audio,
        lang: languageTag(track.language),
        segmentAlignment: 'true',
        startWithSAP: '1',
      },
      [
        element('Label', {}, [escapeXml(labels[i]!)]),
        role(track.isDefault ? 'main' : 'alternate'),
        segments('audio', timeline),
        element('Representation', {
          id: track.name,
          bandwidth: bits(bandwidth),
          codecs,
          audioSamplingRate: track.sampleRate,
        }, [element('AudioChannelConfiguration', { schemeIdUri: CHANNELS, value: track.channels })]), // prettier-ignore
      ],
    ),
  );
}

/** DASH has no groups: surround sound is one more thing to choose. */
function soundLabel(track: AudioTrack): string {
  const label = labelOf({ ...track, name: `Sound ${track.streamIndex}` });
  return track.channels > STEREO ? `${label} 5.1` : label;
}

/** WebVTT as one file: what all players take. */
function textSets(tracks: readonly SubtitleTrack[]): string[] {
  const labels = labelsOf(tracks);
  return tracks.map((track, i) =>
    element('AdaptationSet', { contentType: 'text', mimeType: MIME.subtitles, lang: languageTag(track.language) }, [
      element('Label', {}, [escapeXml(labels[i]!)]),
      role(track.isForced ? 'forced-subtitle' : 'subtitle'),
      ...(track.isDefault ? [role('main')] : []),
      element('Representation', { id: track.name, bandwidth: TEXT_BPS }, [
        element('BaseURL', {}, [escapeXml(subtitleUri(track.name) + SUBTITLE_FILE)]),
      ]),
    ]),
  );
}

/** DASH-IF IOP, 6.2.6: sheets of tiles as an image track. */
function imageSet({ plan, bytes }: Storyboard, fps: Rational, duration: number): string {
  const { columns, rows, tileWidth, tileHeight, intervalFrames, format } = plan;
  const extension = format === 'jpeg' ? 'jpg' : 'webp';
  return element('AdaptationSet', { contentType: 'image', mimeType: `image/${format}` }, [
    element('SegmentTemplate', {
      media: `${STORYBOARD_URI}sheet-$Number%03d$.${extension}`,
      timescale: fps.num,
      duration: intervalFrames * columns * rows * fps.den,
      startNumber: 0,
    }),
    element('Representation', {
      id: 'storyboard',
      bandwidth: Math.max(1, Math.ceil((bytes * 8) / duration)),
      width: tileWidth * columns,
      height: tileHeight * rows,
    }, [element('EssentialProperty', { schemeIdUri: TILES, value: `${columns}x${rows}` })]), // prettier-ignore
  ]);
}

function segments(type: StreamType, { timescale, segments: ticks }: Timeline): string {
  const folder = streamUri(type, '$RepresentationID$');
  const runs: { d: number; count: number }[] = [];
  for (const d of ticks) {
    const last = runs.at(-1);
    if (last?.d === d) last.count += 1;
    else runs.push({ d, count: 1 });
  }
  return element(
    'SegmentTemplate',
    { timescale, initialization: folder + INIT_FILE, media: folder + SEGMENT_TEMPLATE, startNumber: 0 },
    [
      element('SegmentTimeline', {}, runs.map(({ d, count }, i) =>
        element('S', { t: i === 0 ? 0 : undefined, d, r: count > 1 ? count - 1 : undefined }),
      )), // prettier-ignore
    ],
  );
}

const role = (value: string): string => element('Role', { schemeIdUri: ROLE, value });
const bits = ({ peak }: Bandwidth): number => Math.ceil(peak);
const ratio = ({ num, den }: Rational): string => (den === 1 ? String(num) : `${num}/${den}`);
/** `PT12.345S` */
const iso = (seconds: number): string => `PT${Number(seconds.toFixed(6))}S`;

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** @param children XML already: text goes through `escapeXml` */
function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const list = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`)
    .join('');
  return children.length === 0 ? `<${name}${list}/>` : `<${name}${list}>${children.join('')}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0, 2.2: most control characters, lone surrogates and two non-characters can not even be escaped. */
function escapeXml(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, ' ').replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
