/** HLS playlists (RFC 8216, and the draft of its second edition where it is more exact). */
import { INIT_FILE, segmentName } from './layout.js';
import { secondsOfSegments, type IFrame, type Timeline } from './presentation.js';

const SUBTITLE_SEGMENT = (segment: number): string => segmentName(segment).replace(/\.m4s$/, '.vtt');

/** Of a rung or an audio track, beside its segments. */
export function mediaPlaylist(timeline: Timeline): string {
  const durations = secondsOfSegments(timeline);
  return playlist(durations, {
    head: ['#EXT-X-INDEPENDENT-SEGMENTS', `#EXT-X-MAP:URI="${INIT_FILE}"`],
    entry: (segment) => [segmentName(segment)],
  });
}

/** What players show while somebody seeks or winds. */
export function iframePlaylist(timeline: Timeline, iframes: readonly IFrame[]): string {
  return playlist(secondsOfSegments(timeline), {
    head: ['#EXT-X-I-FRAMES-ONLY', `#EXT-X-MAP:URI="${INIT_FILE}"`],
    entry: (segment) => [`#EXT-X-BYTERANGE:${iframes[segment]!.bytes}@0`, segmentName(segment)],
  });
}

/** @param durations seconds of every WebVTT segment */
export function subtitlePlaylist(durations: readonly number[]): string {
  return playlist(durations, { head: [], entry: (segment) => [SUBTITLE_SEGMENT(segment)] });
}

interface Style {
  readonly head: readonly string[];
  /** The lines that follow a segment's duration. */
  entry(segment: number): string[];
}

function playlist(durations: readonly number[], { head, entry }: Style): string {
  // 4.3.3.1: durations, rounded to the nearest integer, are not above the target.
  const target = Math.max(1, ...durations.map((seconds) => Math.round(seconds)));
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${target}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    ...head,
    ...durations.flatMap((seconds, segment) => [`#EXTINF:${seconds.toFixed(6)},`, ...entry(segment)]),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}
