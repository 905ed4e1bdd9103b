/**
 * The testable rules of Apple's "HLS Authoring Specification for Apple Devices" (June 2025), run over the
 * finished texts of everything that is published.
 *
 * Not here: 7.3 and 7.4 (continuous decode times, key frames first) are what `verify.ts` proves of every
 * segment. 7.5 and 7.6 ask for segments of 6 s: ours have 4 s on purpose, so that playing starts sooner. 10.1
 * (gzip) and 8.18 (no redirects) are for the server that delivers. What is for live streams, captions, HDR,
 * spatial video and encryption has nothing to look at.
 */
import { parseMaster, parseMedia } from './hls-parse.js';
import type { Look, Rule } from './hls-rule.js';
import { CONTENT_RULES } from './hls-rules-content.js';
import { MASTER_RULES } from './hls-rules-master.js';
import { MEDIA_RULES } from './hls-rules-media.js';
import { MASTER_FILE } from './layout.js';
import type { Presentation } from './presentation.js';

export const RULES: readonly Rule[] = [...CONTENT_RULES, ...MASTER_RULES, ...MEDIA_RULES];

export interface Violation {
  readonly rule: string;
  readonly level: Rule['level'];
  readonly about: Rule['about'];
  /** A sentence. */
  readonly problem: string;
}

/** @param files playlists, and the first WebVTT segment of each track, by their names below the generation's prefix */
export function checkHls({
  files,
  presentation,
}: {
  readonly files: ReadonlyMap<string, string>;
  readonly presentation: Presentation;
}): Violation[] {
  const lists = [...files].filter(([name]) => name.endsWith('.m3u8') && name !== MASTER_FILE);
  const look: Look = {
    files,
    presentation,
    master: parseMaster(files.get(MASTER_FILE) ?? ''),
    lists: new Map(lists.map(([name, text]) => [name, parseMedia(text)])),
  };
  return RULES.flatMap((one) => {
    const { rule, level, about } = one;
    return one.problems(look).map((problem) => ({ rule, level, about, problem }));
  });
}

/** A mistake of ours, which nobody shall have to play: that is not published. The others are written down. */
export const refusals = (violations: readonly Violation[]): Violation[] =>
  violations.filter(({ level, about }) => level === 'MUST' && about === 'text');
