/** Rules of the media playlists: sound, picture, I-frames, subtitles. */
import { subtitleSegmentName } from './hls.js';
import {
  audioLists,
  avLists,
  frameSeconds,
  iframeLists,
  listSeconds,
  subtitleLists,
  totalSeconds,
  type Look,
  type Rule,
} from './hls-rule.js';
import { secondsOfSegments } from './presentation.js';
import { subtitleUri } from './layout.js';

const PLAYLIST_TYPE = 'EXT-X-PLAYLIST-TYPE';
const TARGET = 'EXT-X-TARGETDURATION';
/** As rule 7.7 has it. Seconds. */
const OVER_TARGET = 0.5;

const allLists = (look: Look) => [...avLists(look), ...iframeLists(look), ...subtitleLists(look)];

export const MEDIA_RULES: readonly Rule[] = [
  {
    rule: '5.2',
    level: 'MUST',
    about: 'text',
    quote: 'Subtitles MUST be WebVTT (according to the HLS specification) or IMSC1 in fMP4',
    problems: (look) =>
      look.presentation.subtitles
        .map(({ name }) => subtitleUri(name) + subtitleSegmentName(0))
        .filter((uri) => !look.files.get(uri)?.startsWith('WEBVTT'))
        .map((uri) => `${uri} is not WebVTT.`),
  },
  {
    rule: '5.3',
    level: 'MUST',
    about: 'text',
    quote: 'WebVTT subtitles MUST be in text files, with an X-TIMESTAMP-MAP according to the HLS specification',
    problems: (look) =>
      look.presentation.subtitles
        .map(({ name }) => subtitleUri(name) + subtitleSegmentName(0))
        .filter((uri) => !/^X-TIMESTAMP-MAP=/m.test(look.files.get(uri) ?? ''))
        .map((uri) => `${uri} has no X-TIMESTAMP-MAP.`),
  },
  {
    rule: '5.5',
    level: 'MUST',
    about: 'text',
    quote: 'The subtitle playlist MUST exist for the entirety of the main content',
    problems: (look) => {
      const [main] = avLists(look);
      const seconds = main ? totalSeconds(main.timeline) : 0;
      return subtitleLists(look)
        .filter(({ list }) => listSeconds(list) < seconds - frameSeconds(look))
        .map(({ uri }) => `${uri} ends before ${seconds.toFixed(3)} s.`);
    },
  },
  {
    rule: '6.8',
    level: 'MUST',
    about: 'text',
    quote: 'I-frame playlists MUST contain the EXT-X-I-FRAMES-ONLY tag',
    problems: (look) =>
      iframeLists(look)
        .filter(({ list }) => !list.tags.has('EXT-X-I-FRAMES-ONLY'))
        .map(({ uri }) => `${uri} does not.`),
  },
  {
    rule: '6.10',
    level: 'MUST',
    about: 'text',
    quote: "If using fMP4, I-frame segments MUST include the 'moof' header associated with the I-frame",
    problems: (look) =>
      iframeLists(look).flatMap(({ uri, list }) => {
        // A segment is one fragment: its header is at its start.
        const wrong = list.entries.findIndex(({ range }) => !/^[1-9]\d*@0$/.test(range ?? ''));
        return wrong < 0 ? [] : [`${uri}: entry ${wrong} does not begin at the start of its segment.`];
      }),
  },
  {
    rule: '7.7',
    level: 'MUST',
    about: 'text',
    quote: 'Media Segments MUST NOT exceed the target duration by more than 0.5 seconds',
    problems: (look) =>
      avLists(look)
        .filter(({ list, timeline }) => {
          const target = Number(list.tags.get(TARGET) ?? NaN);
          return !secondsOfSegments(timeline).every((seconds) => seconds <= target + OVER_TARGET);
        })
        .map(({ uri }) => `${uri} has a longer one.`),
  },
  {
    rule: '8.1',
    level: 'MUST',
    about: 'text',
    quote: 'the sum of the EXTINF durations of any contiguous group of segments is within one video frame duration',
    problems: (look) =>
      [...avLists(look), ...iframeLists(look)]
        .filter(
          ({ list, timeline }) =>
            drift(
              list.entries.map(({ seconds }) => seconds),
              secondsOfSegments(timeline),
            ) > frameSeconds(look),
        )
        .map(({ uri }) => `${uri} is not.`),
  },
  {
    rule: '8.2',
    level: 'MUST',
    about: 'text',
    quote: 'Audio and video playlists MUST all use the same target duration',
    problems: (look) => {
      const targets = new Set(avLists(look).map(({ list }) => list.tags.get(TARGET)));
      return targets.size <= 1 ? [] : [`They use ${[...targets].join(', ')}.`];
    },
  },
  {
    rule: '8.3',
    level: 'MUST',
    about: 'content',
    quote: 'Audio and video playlists MUST contain the same duration of the content',
    problems: (look) => {
      const [main] = avLists(look);
      if (!main) return [];
      const seconds = listSeconds(main.list);
      // Sound comes in frames of its own.
      const tolerance = Math.max(
        frameSeconds(look),
        ...look.presentation.audio.map(({ track }) => 1024 / track.sampleRate),
      );
      return audioLists(look)
        .filter(({ list }) => !(Math.abs(listSeconds(list) - seconds) <= tolerance))
        .map(({ uri, list }) => `${uri} lasts ${listSeconds(list).toFixed(3)} s, not ${seconds.toFixed(3)} s.`);
    },
  },
  {
    rule: '8.6',
    level: 'MUST',
    about: 'text',
    quote: 'you MUST add the EXT-X-PLAYLIST-TYPE with the value VOD',
    problems: (look) =>
      allLists(look)
        .filter(({ list }) => list.tags.get(PLAYLIST_TYPE) !== 'VOD' || !list.tags.has('EXT-X-ENDLIST'))
        .map(({ uri }) => `${uri} does not say so.`),
  },
  {
    rule: '8.20',
    level: 'MUST',
    about: 'text',
    quote: 'If using fMP4, EXT-X-MAP tags MUST be present',
    problems: (look) =>
      [...avLists(look), ...iframeLists(look)]
        .filter(({ list }) => !/URI="[^"]+"/.test(list.tags.get('EXT-X-MAP') ?? ''))
        .map(({ uri }) => `${uri} has none.`),
  },
  {
    rule: '11.4',
    level: 'SHOULD',
    about: 'text',
    quote: 'Media Segment URLs [...] SHOULD NOT contain revealing strings, such as movie title',
    problems: (look) =>
      allLists(look)
        .filter(
          ({ uri, list }) => ![uri, ...list.entries.map((entry) => entry.uri)].every((one) => PLAIN_NAME.test(one)),
        )
        .map(({ uri }) => `${uri} names something that is not ours.`),
  },
];

/** What our own names are made of: `video/1080p/index.m3u8`. */
const PLAIN_NAME = /^[a-z0-9./-]{1,100}$/;

/** The most that any run of segments is off by. Seconds. */
function drift(declared: readonly number[], real: readonly number[]): number {
  if (declared.length !== real.length) return Infinity;
  let [offset, lowest, highest] = [0, 0, 0];
  real.forEach((seconds, i) => {
    offset += declared[i]! - seconds;
    [lowest, highest] = [Math.min(lowest, offset), Math.max(highest, offset)];
  });
  return Number.isNaN(offset) ? Infinity : highest - lowest;
}
