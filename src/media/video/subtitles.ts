/** Text subtitles of a source: one ffmpeg run for all tracks, and their places in time. */
import { secondsOf, type SubtitleTrack, type VideoPlan } from '../../contracts/plan.js';
import type { FfmpegCommand } from '../ffmpeg-command.js';
import { CLEAN_OUTPUT, SOURCE_FILE } from './encode-args.js';
import { forcedInput } from './ffmpeg-input.js';
import type { Cue } from './webvtt.js';

/**
 * Seconds. RFC 8216, 6.2.4, frees subtitles of a finished presentation from the target duration of the
 * others; a request every four seconds for a line or two would be waste.
 */
export const SUBTITLE_SEGMENT_SECONDS = 60;

/** Far more than any film says. Bytes of one track, as ASS. */
const MAX_TRACK_BYTES = 32 * 1024 ** 2;
/** Eight a second. A cue is in every segment that it touches: without a bound, few long ones would make millions. */
const MAX_SEGMENT_CUES = 8 * SUBTITLE_SEGMENT_SECONDS;

const ASS_CODECS = new Set(['ass', 'ssa']);

export const subtitleSource = (track: Pick<SubtitleTrack, 'name'>): string => `${track.name}.ass`;

/** Whether a track's source has markup in braces. */
export const isStyled = ({ facts }: Pick<VideoPlan, 'facts'>, { streamIndex }: SubtitleTrack): boolean =>
  facts.subtitles.some((source) => source.streamIndex === streamIndex && ASS_CODECS.has(source.codec));

/**
 * ASS is what ffmpeg turns every text subtitle into: its markup can not be mistaken for text, as that of
 * SubRip and WebVTT can. Its times are hundredths of a second.
 */
export function subtitlesCommand({ facts, subtitles }: Pick<VideoPlan, 'facts' | 'subtitles'>): FfmpegCommand {
  return {
    // Bytes that are no UTF-8 are passed on instead of dropped with their cue: `decodeText` reads them.
    inputs: [{ file: SOURCE_FILE, options: [...forcedInput(facts.container), '-sub_charenc_mode', 'ignore'] }],
    outputs: subtitles.map((track) => ({
      file: subtitleSource(track),
      options: [
        '-map', `0:${track.streamIndex}`, '-c:s', 'ass', '-fs', String(MAX_TRACK_BYTES), ...CLEAN_OUTPUT, '-f', 'ass',
      ], // prettier-ignore
    })),
  };
}

/** UTF-8; a line that is none is in the encoding of old Windows programs, where most such lines come from. */
export function decodeText(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const utf8 = new TextDecoder('utf-8', { fatal: true });
    const latin = new TextDecoder('windows-1252');
    const lines: string[] = [];
    for (let from = 0; from < bytes.length;) {
      const end = bytes.indexOf('\n', from);
      const line = bytes.subarray(from, end < 0 ? bytes.length : end);
      try {
        lines.push(utf8.decode(line));
      } catch {
        lines.push(latin.decode(line));
      }
      from += line.length + 1;
    }
    return lines.join('\n');
  }
}

/** Seconds of every segment of a subtitle playlist: as long as the picture. */
export function subtitleDurations({ grid, facts }: Pick<VideoPlan, 'grid' | 'facts'>): number[] {
  const total = grid ? secondsOf(grid, grid.totalFrames) : facts.duration;
  return Array.from({ length: Math.ceil(total / SUBTITLE_SEGMENT_SECONDS) }, (_, segment) =>
    Math.min(SUBTITLE_SEGMENT_SECONDS, total - segment * SUBTITLE_SEGMENT_SECONDS),
  );
}

/** Cues that are shown while the picture lasts. */
export function withinPicture(cues: readonly Cue[], seconds: number): Cue[] {
  return cues.filter(({ start }) => start < seconds).map((cue) => ({ ...cue, end: Math.min(cue.end, seconds) }));
}

/** The cues of every segment: each cue is in all that it touches (RFC 8216, 3.5). */
export function cuesBySegment(cues: readonly Cue[], segments: number): Cue[][] {
  const lists = Array.from({ length: segments }, (): Cue[] => []);
  for (const cue of cues) {
    const first = Math.floor(cue.start / SUBTITLE_SEGMENT_SECONDS);
    const last = Math.min(segments, Math.ceil(cue.end / SUBTITLE_SEGMENT_SECONDS)) - 1;
    for (const list of lists.slice(first, last + 1)) if (list.length < MAX_SEGMENT_CUES) list.push(cue);
  }
  return lists;
}
