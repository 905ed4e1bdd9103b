/** HLS playlists (RFC 8216, and the draft of its second edition where it is more exact). */
import { INIT_FILE, segmentName } from './layout.js';
import { secondsOfSegments, type IFrame, type Presentation, type Timeline } from './presentation.js';

/** `seg-00000.vtt` */
export const subtitleSegmentName = (segment: number): string => segmentName(segment).replace(/\.m4s$/, '.vtt');

/**
 * Whole seconds that no segment lasts longer than, rounded (4.3.3.1). Apple's authoring specification, 8.2:
 * the same for sound and picture, so it is that of the whole presentation.
 */
export function targetDuration({ video, audio }: Pick<Presentation, 'video' | 'audio'>): number {
  const lengths = [...video, ...audio].flatMap(({ timeline }) => secondsOfSegments(timeline));
  return lengths.reduce((longest, seconds) => Math.max(longest, Math.round(seconds)), 1);
}

/** Of a rung or an audio track, beside its segments. @param target of the presentation, whole seconds */
export function mediaPlaylist(timeline: Timeline, target: number): string {
  return playlist(secondsOfSegments(timeline), target, {
    head: ['#EXT-X-INDEPENDENT-SEGMENTS', `#EXT-X-MAP:URI="${INIT_FILE}"`],
    entry: (segment) => [segmentName(segment)],
  });
}

/** What players show while somebody seeks or winds. */
export function iframePlaylist(timeline: Timeline, iframes: readonly IFrame[], target: number): string {
  return playlist(secondsOfSegments(timeline), target, {
    head: ['#EXT-X-I-FRAMES-ONLY', `#EXT-X-MAP:URI="${INIT_FILE}"`],
    entry: (segment) => [`#EXT-X-BYTERANGE:${iframes[segment]!.bytes}@0`, segmentName(segment)],
  });
}

/** @param durations seconds of every WebVTT segment */
export function subtitlePlaylist(durations: readonly number[]): string {
  const target = durations.reduce((longest, seconds) => Math.max(longest, Math.round(seconds)), 1);
  return playlist(durations, target, { head: [], entry: (segment) => [subtitleSegmentName(segment)] });
}

interface Style {
  readonly head: readonly string[];
  /** The lines that follow a segment's duration. */
  readonly entry: (segment: number) => string[];
}

function playlist(durations: readonly number[], target: number, { head, entry }: Style): string {
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
