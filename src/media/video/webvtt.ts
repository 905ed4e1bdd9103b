/** WebVTT files (W3C), and what of ASS, ffmpeg's common form of all text subtitles, can be said in them. */

export interface Cue {
  /** Seconds. */
  readonly start: number;
  readonly end: number;
  /** As WebVTT has it: escaped, with no other markup than `<b>`, `<i>` and `<u>`. */
  readonly text: string;
}

/** RFC 8216, 3.5: cues are on the clock of the media, which starts at 0. */
const TIMESTAMP_MAP = 'X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000';
/** Longer than anybody reads. Characters. */
const MAX_TEXT = 1000;

const DIALOGUE = /^Dialogue: [^,]*,(\d+):(\d\d):(\d\d\.\d\d),(\d+):(\d\d):(\d\d\.\d\d),(?:[^,]*,){6}(.*)$/;

/**
 * Cues by time of start. Where they lie, how they look and what they draw is left out.
 *
 * @param isStyled the source itself was ASS: everything within braces is its markup, never text
 */
export function cuesOfAss(ass: string, isStyled: boolean): Cue[] {
  const cues = new Map<string, Cue>();
  for (const line of ass.split(/\r?\n/)) {
    const match = DIALOGUE.exec(line);
    if (!match) continue;
    const [, h1, m1, s1, h2, m2, s2, text] = match;
    const cue = { start: seconds(h1!, m1!, s1!), end: seconds(h2!, m2!, s2!), text: textOf(text!, isStyled) };
    // Typesetters lay the same words over each other, as outline and filling.
    if (cue.text !== '' && cue.end > cue.start) cues.set(`${cue.start} ${cue.end} ${cue.text}`, cue);
  }
  return [...cues.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

const seconds = (h: string, m: string, s: string): number => Number(h) * 3600 + Number(m) * 60 + Number(s);

const STYLES = ['b', 'i', 'u'] as const;
type Style = (typeof STYLES)[number];

const TOKENS = /\\[{}Nnh]|\{[^}]*\}|[^\\{]+|[\\{]/g;
const OVERRIDES = /\\(?:([biu])(\d*)|(r)[^\\]*|p(\d+))(?=\\|$)/g;
/** Font weight from which text counts as bold. */
const BOLD = 600;

function textOf(ass: string, isStyled: boolean): string {
  const on = new Set<Style>();
  let isDrawing = false;
  let length = 0;
  const runs: { style: string; text: string }[] = [];
  const say = (text: string): void => {
    const part = text.slice(0, Math.max(0, MAX_TEXT - length));
    if (isDrawing || part === '') return;
    length += part.length;
    const style = STYLES.filter((name) => on.has(name)).join('');
    const last = runs.at(-1);
    if (last?.style === style) last.text += part;
    else runs.push({ style, text: part });
  };
  for (const [token] of ass.matchAll(TOKENS)) {
    const isBlock = token.length > 1 && token.startsWith('{');
    if (isBlock && (isStyled || token.startsWith('{\\'))) {
      for (const [, style, value, reset, drawing] of token.slice(1, -1).matchAll(OVERRIDES)) {
        if (reset) on.clear();
        else if (drawing !== undefined) isDrawing = drawing !== '0';
        else if (isOn(style as Style, value!)) on.add(style as Style);
        else on.delete(style as Style);
      }
    } else say(SPECIAL[token] ?? token);
  }
  return runs
    .map(({ style, text }) => [...style].reduceRight((inner, tag) => `<${tag}>${inner}</${tag}>`, escaped(text)))
    .join('')
    .replace(/[ \t]*\n\s*/g, '\n')
    .trim();
}

const SPECIAL: Readonly<Record<string, string>> = { '\\N': '\n', '\\n': '\n', '\\h': ' ', '\\{': '{', '\\}': '}' };

const isOn = (style: Style, value: string): boolean =>
  style === 'b' ? value === '1' || Number(value) >= BOLD : value !== '' && value !== '0';

/** No markup, no arrow of a time line, no control character survives. */
function escaped(text: string): string {
  return text
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** @param isSegment of an HLS playlist: with the line that ties its clock to the media's */
export function webVtt(cues: readonly Cue[], isSegment: boolean): string {
  const blocks = cues.map(({ start, end, text }) => `${timestamp(start)} --> ${timestamp(end)}\n${text}\n`);
  return [`WEBVTT\n${isSegment ? `${TIMESTAMP_MAP}\n` : ''}`, ...blocks].join('\n');
}

/** `00:01:02.345` */
function timestamp(time: number): string {
  const ms = Math.round(time * 1000);
  const pad = (value: number, digits: number): string => String(Math.floor(value)).padStart(digits, '0');
  return `${pad(ms / 3_600_000, 2)}:${pad((ms / 60_000) % 60, 2)}:${pad((ms / 1000) % 60, 2)}.${pad(ms % 1000, 3)}`;
}
