/** What players show of a track, and which subtitles are text. */
import type { SubtitleFacts } from '../../contracts/plan.js';
import type { FfprobeStream } from './ffprobe-report.js';

/** Subtitles that are text; all others are pictures. */
const TEXT_CODECS = new Set(['subrip', 'ass', 'ssa', 'webvtt', 'mov_text', 'text']);

/** Tracks beyond these would make the plan larger than a workflow may carry. */
const MAX_SUBTITLE_TRACKS = 32;

/** ISO 639-2 or BCP 47; `und` says nothing. */
export function languageOf({ tags }: FfprobeStream): string | undefined {
  const language = tags?.language;
  return language && language !== 'und' && /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$/.test(language)
    ? language
    : undefined;
}

/** It ends up in a quoted playlist attribute. */
export const titleOf = ({ tags }: FfprobeStream): string | undefined =>
  tags?.title
    ?.replace(/[\p{Cc}"]/gu, ' ')
    .trim()
    .slice(0, 64) || undefined;

export function subtitleFacts(streams: readonly FfprobeStream[]): SubtitleFacts[] {
  return streams
    .filter((s) => s.codec_type === 'subtitle' && TEXT_CODECS.has(s.codec_name ?? ''))
    .slice(0, MAX_SUBTITLE_TRACKS)
    .map((stream) => ({
      streamIndex: stream.index,
      codec: stream.codec_name!,
      language: languageOf(stream),
      title: titleOf(stream),
      isDefault: stream.disposition?.default === 1,
      isForced: stream.disposition?.forced === 1,
    }));
}
