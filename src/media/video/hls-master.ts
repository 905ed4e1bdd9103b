/** The HLS multivariant playlist: which streams there are, and which may be played together. */
import type { SubtitleTrack } from '../../contracts/plan.js';
import { toNumber } from './frame-rate.js';
import { IFRAMES_FILE, PLAYLIST_FILE, streamUri, subtitleUri } from './layout.js';
import {
  labelsOf,
  languageTag,
  secondsOfSegments,
  type AudioStream,
  type Bandwidth,
  type Presentation,
  type VideoStream,
} from './presentation.js';

const SUBTITLES = 'subs';
/** Apple's authoring specification, 1.32: what is listed first is played first, and 2 Mb/s suits most connections. */
const FIRST_BPS = 2_000_000;
const STEREO = 2;
const WEBVTT = 'wvtt';

export function masterPlaylist(presentation: Presentation): string {
  const { audio, subtitles } = presentation;
  const groups = audioGroups(audio);
  const streams =
    presentation.video.length > 0
      ? [
          ...groups.flatMap((group) =>
            inOrder(presentation).flatMap((video) => videoVariant(presentation, video, group)),
          ),
          ...presentation.video.flatMap((video) => iframeVariant(video)),
        ]
      : groups.flatMap(({ id, members }) => audioVariant(members, members.length > 1 ? id : undefined));
  const hasGroups = presentation.video.length > 0 || groups.some(({ members }) => members.length > 1);
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...(hasGroups ? groups.flatMap(audioMedia) : []),
    ...subtitleMedia(subtitles),
    ...streams,
    '',
  ].join('\n');
}

/** Tracks of which a player uses one at a time. */
interface AudioGroup {
  /** Undefined where there is no sound at all. */
  readonly id?: string | undefined;
  readonly members: readonly AudioStream[];
}

/**
 * One group for stereo and mono, one more where something is there in more channels. RFC 8216, 4.3.4.1.1:
 * groups of one type have the same members, which differ in URI and CHANNELS alone; so who has no
 * surround sound is in the second group with what it has.
 */
function audioGroups(audio: readonly AudioStream[]): readonly [AudioGroup, ...AudioGroup[]] {
  if (audio.length === 0) return [{ members: [] }];
  const sources = [...new Set(audio.map(({ track }) => track.streamIndex))];
  const pick = (wide: boolean): AudioStream[] =>
    sources.map((source) => {
      const versions = audio.filter(({ track }) => track.streamIndex === source);
      return versions.find(({ track }) => track.channels > STEREO === wide) ?? versions[0]!;
    });
  const stereo: AudioGroup = { id: 'audio', members: pick(false) };
  const surround: AudioGroup = { id: 'audio-surround', members: pick(true) };
  const same = surround.members.every((member, i) => member === stereo.members[i]);
  return same ? [stereo] : [stereo, surround];
}

function audioMedia({ id, members }: AudioGroup): string[] {
  if (id === undefined) return [];
  const labels = labelsOf(members.map(({ track }) => ({ ...track, name: `Sound ${track.streamIndex}` })));
  return members.map(({ track }, i) =>
    tag('EXT-X-MEDIA', {
      TYPE: 'AUDIO',
      'GROUP-ID': quoted(id),
      NAME: quoted(labels[i]!),
      LANGUAGE: language(track),
      DEFAULT: yesNo(track.isDefault),
      AUTOSELECT: 'YES',
      CHANNELS: quoted(String(track.channels)),
      URI: quoted(streamUri('audio', track.name) + PLAYLIST_FILE),
    }),
  );
}

function subtitleMedia(tracks: readonly SubtitleTrack[]): string[] {
  const labels = labelsOf(tracks);
  return tracks.map((track, i) =>
    tag('EXT-X-MEDIA', {
      TYPE: 'SUBTITLES',
      'GROUP-ID': quoted(SUBTITLES),
      NAME: quoted(labels[i]!),
      LANGUAGE: language(track),
      DEFAULT: yesNo(track.isDefault),
      // 4.3.4.1: YES wherever DEFAULT is YES. Players choose by the language of their user.
      AUTOSELECT: 'YES',
      FORCED: yesNo(track.isForced),
      URI: quoted(subtitleUri(track.name) + PLAYLIST_FILE),
    }),
  );
}

/** Whoever listens to the dearest track needs this much beside the picture (4.3.4.2). */
function dearest({ members }: AudioGroup): Bandwidth {
  const averages = members.map(({ bandwidth }) => bandwidth.average);
  return {
    peak: Math.max(0, ...members.map(({ bandwidth }) => bandwidth.peak)),
    average: averages.some((value) => value === undefined) ? undefined : Math.max(0, ...averages.map(Number)),
  };
}

function videoVariant({ grid, subtitles }: Presentation, video: VideoStream, group: AudioGroup): string[] {
  const { rung, codecs, bandwidth } = video;
  const sound = dearest(group);
  const text = subtitles.length > 0 ? [WEBVTT] : [];
  const average =
    bandwidth.average === undefined || sound.average === undefined ? undefined : bandwidth.average + sound.average;
  return [
    tag('EXT-X-STREAM-INF', {
      ...bandwidthOf({ peak: bandwidth.peak + sound.peak, average }),
      CODECS: quoted([...new Set([codecs, ...group.members.map((member) => member.codecs), ...text])].join(',')),
      RESOLUTION: `${rung.width}x${rung.height}`,
      'FRAME-RATE': grid && toNumber(grid.fps).toFixed(3),
      AUDIO: group.id && quoted(group.id),
      SUBTITLES: subtitles.length > 0 ? quoted(SUBTITLES) : undefined,
      // Without this word some players offer captions that are not there.
      'CLOSED-CAPTIONS': 'NONE',
    }),
    streamUri('video', rung.name) + PLAYLIST_FILE,
  ];
}

function audioVariant(members: readonly AudioStream[], group: string | undefined): string[] {
  const first = members.find(({ track }) => track.isDefault) ?? members[0];
  if (!first) return [];
  return [
    tag('EXT-X-STREAM-INF', {
      ...bandwidthOf(dearest({ members })),
      CODECS: quoted([...new Set(members.map(({ codecs }) => codecs))].join(',')),
      AUDIO: group && quoted(group),
    }),
    streamUri('audio', first.track.name) + PLAYLIST_FILE,
  ];
}

function iframeVariant({ rung, codecs, timeline, iframes }: VideoStream): string[] {
  if (!iframes) return [];
  const seconds = secondsOfSegments(timeline);
  const rates = iframes.map(({ bytes }, i) => (bytes * 8) / seconds[i]!);
  // A last segment of one frame says nothing about what winding needs (4.1 of the draft, as for segments).
  const long = rates.filter((_rate, i) => seconds[i]! >= Math.max(...seconds) / 2);
  const total = seconds.reduce((sum, value) => sum + value, 0);
  return [
    tag('EXT-X-I-FRAME-STREAM-INF', {
      ...bandwidthOf({
        peak: Math.max(...long),
        average: (iframes.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / total,
      }),
      CODECS: quoted(codecs),
      RESOLUTION: `${rung.width}x${rung.height}`,
      URI: quoted(streamUri('video', rung.name) + IFRAMES_FILE),
    }),
  ];
}

/** What is to be played first, then the others from large to small. */
function inOrder({ video, growing }: Presentation): VideoStream[] {
  const distance = ({ bandwidth }: VideoStream): number =>
    growing ? bandwidth.peak : Math.abs((bandwidth.average ?? bandwidth.peak) - FIRST_BPS);
  const first = video.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  return [first, ...video.filter((stream) => stream !== first)];
}

const bandwidthOf = ({ peak, average }: Bandwidth): Record<string, string | undefined> => ({
  BANDWIDTH: String(Math.ceil(peak)),
  'AVERAGE-BANDWIDTH': average === undefined ? undefined : String(Math.ceil(average)),
});

const yesNo = (value: boolean): string => (value ? 'YES' : 'NO');
/** Apple's authoring specification, 8.10: always there. */
const language = ({ language: spoken }: { readonly language?: string | undefined }): string =>
  quoted(languageTag(spoken) ?? 'und');

/** 4.2: a quoted string holds no line feed, no carriage return and no double quote, and there is no way to escape one. */
const quoted = (text: string): string => `"${text.replaceAll('"', "'").replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, ' ')}"`;

function tag(name: string, attributes: Readonly<Record<string, string | undefined>>): string {
  const list = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return `#${name}:${list.map(([key, value]) => `${key}=${value}`).join(',')}`;
}
