/** What the sample tables of a movie say: how long each stream is, and which bytes a stretch of time needs. */
import { lowerQuartile, MAX_INTERVALS, type StreamSpan } from './packets.js';
import type { Sample } from './sample-boxes.js';
import type { Track } from './sample-table.js';

/** Bytes from the start of the file; `to` is past the last one. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** ffprobe and ffmpeg look at so much of each stream before they begin (probesize, analyzeduration: 5 MB, 5 s). */
const HEAD_BYTES = 6_000_000;
const HEAD_SECONDS = 6;
/** The same for streams that are neither picture nor sound. */
const HEAD_SECONDS_TEXT = 35;
const HEAD_SAMPLES = 4;

/** Runs seek one GOP, of up to 4 s, earlier than they need. */
const LEAD_SECONDS = 4.5;
/** Packets that decoders with many threads, reordering and filters read ahead. */
const TAIL_SECONDS = 2;
const TAIL_SAMPLES = 64;

/** Time stamps of two clocks are rounded differently. Seconds. */
const ROUNDING = 0.001;

/** A file that is cut into more pieces is not worth the requests. */
const MAX_RANGES = 100_000;

/** First byte behind all samples: where the object is smaller, its tail is missing. */
export function endOfSamples(tracks: readonly Track[]): number {
  let end = 0;
  for (const track of tracks) track.walk(({ offset, size }) => void (end = Math.max(end, offset + size)));
  return end;
}

/**
 * The same as `PacketMeter` measures, from the tables instead of from every packet. Streams of which
 * nothing is shown are left out.
 */
export function spansOf(tracks: readonly Track[]): Map<number, StreamSpan> {
  const spans = tracks.map((track, index) => [index, spanOf(track)] as const);
  return new Map(spans.filter((entry): entry is readonly [number, StreamSpan] => entry[1] !== undefined));
}

function spanOf(track: Track): StreamSpan | undefined {
  const clock = clockOf(track);
  let [packets, start, last, end, previous] = [0, Infinity, -Infinity, -Infinity, NaN];
  const intervals = new Map<number, number>();
  track.walk((sample) => {
    if (!isShown(track, sample)) return;
    packets += 1;
    const at = clock(sample.cts);
    if (at < start) start = at;
    if (at > last) last = at;
    end = Math.max(end, clock(sample.cts + sample.duration));
    const step = clock(sample.dts);
    const interval = Math.round((step - previous) * 1000);
    previous = step;
    if (interval > 0 && (intervals.size < MAX_INTERVALS || intervals.has(interval)))
      intervals.set(interval, (intervals.get(interval) ?? 0) + 1);
  });
  if (packets === 0) return undefined;
  return { packets, start, last, end, interval: lowerQuartile(intervals) / 1000, disorder: 0 };
}

/** What ffmpeg needs in order to open the file and to know its streams. */
export function headOf(tracks: readonly Track[]): ByteRange[] {
  const ranges = new Ranges();
  for (const track of tracks) {
    const seconds = /^(vide|soun)$/.test(track.handler) ? HEAD_SECONDS : HEAD_SECONDS_TEXT;
    let [count, bytes] = [0, 0];
    track.walk((sample) => {
      // Chunks of uncompressed sound have no bound of their own.
      ranges.add(sample.offset, Math.min(sample.size, HEAD_BYTES));
      count += 1;
      bytes += sample.size;
      return bytes >= HEAD_BYTES || (count >= HEAD_SAMPLES && sample.dts >= seconds * track.timescale);
    });
  }
  return ranges.merged();
}

export interface Stretch {
  /** Seconds on the file's own clock. */
  readonly from: number;
  readonly to: number;
  /** Indices of streams that are decoded. */
  readonly streams: readonly number[];
}

/**
 * The bytes that ffmpeg reads when it seeks a GOP before a stretch, back to the key frame before that,
 * and decodes to the end of the stretch. Generous by some packets on both sides.
 *
 * @returns undefined when there are too many pieces, or a stream is none of the file's
 */
export function bytesOf(tracks: readonly Track[], { from, to, streams }: Stretch): ByteRange[] | undefined {
  const wanted = streams.map((index) => tracks[index]);
  if (!wanted.every((track) => track !== undefined)) return undefined;
  // ffmpeg seeks in one stream, a picture where there is one, and takes the others to the same place.
  const pictures = tracks.filter(({ handler }) => handler === 'vide');
  const place = Math.min(from - LEAD_SECONDS, ...pictures.map((track) => keyBefore(track, from - LEAD_SECONDS)));
  const ranges = new Ranges();
  for (const track of wanted) {
    const start = keyBefore(track, place + 2 * ROUNDING);
    const clock = clockOf(track);
    let behind = 0;
    track.walk((sample) => {
      const decoded = clock(sample.dts);
      if (Math.max(decoded + sample.duration / track.timescale, clock(sample.cts)) < start) return false;
      ranges.add(sample.offset, sample.size);
      if (decoded > to + TAIL_SECONDS) behind += 1;
      return behind > TAIL_SAMPLES || ranges.size > MAX_RANGES;
    });
  }
  return ranges.size > MAX_RANGES ? undefined : ranges.merged();
}

/** Seconds: where the decoding of the last sync sample that is shown at or before `at` begins; the first sample's when there is none. */
function keyBefore(track: Track, at: number): number {
  const clock = clockOf(track);
  let key = NaN;
  track.walk((sample) => {
    const decoded = clock(sample.dts);
    if (Number.isNaN(key)) key = Math.min(decoded, clock(sample.cts));
    if (sample.sync && Math.max(decoded, clock(sample.cts)) <= at - ROUNDING)
      key = Math.min(decoded, clock(sample.cts));
    return decoded > at;
  });
  return Number.isNaN(key) ? at : key;
}

function isShown({ edit, handler }: Track, { cts, duration }: Readonly<Sample>): boolean {
  if (!edit) return true;
  // Of sound, ffmpeg keeps the packet that the edit begins within.
  return cts < edit.until && (handler === 'soun' ? cts + duration > edit.from : cts >= edit.from);
}

/** How many samples may be decoded before one that is shown earlier. */
const REORDER = 64;

/** From ticks of the track to seconds of the file's own clock, as ffmpeg has it. */
function clockOf(track: Track): (ticks: number) => number {
  const { edit, timescale } = track;
  if (!edit) return (ticks) => ticks / timescale;
  // A first frame that is shown later than its edit begins is moved to the beginning.
  let [first, seen] = [Infinity, 0];
  track.walk((sample) => {
    if (!isShown(track, sample)) return false;
    first = Math.min(first, sample.cts);
    return (seen += 1) > REORDER;
  });
  const zero = (Number.isFinite(first) ? Math.max(first, edit.from) : edit.from) - edit.delay;
  const base = track.handler === 'vide' ? zero : edit.from - edit.delay;
  return (ticks) => (ticks - base) / timescale;
}

/** Collects runs of bytes; neighbours become one. */
class Ranges {
  readonly #list: { from: number; to: number }[] = [];

  get size(): number {
    return this.#list.length;
  }

  add(offset: number, size: number): void {
    const last = this.#list.at(-1);
    if (last?.to === offset) last.to = offset + size;
    else if (size > 0) this.#list.push({ from: offset, to: offset + size });
  }

  merged(): ByteRange[] {
    return mergeRanges(this.#list);
  }
}

/** Sorted, without overlaps. @param gap ranges with at most so many bytes between them become one */
export function mergeRanges(ranges: readonly ByteRange[], gap = 0): ByteRange[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && from - last.to <= gap) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/** What of `ranges` is not in `known`. Both sorted and without overlaps, as `mergeRanges` gives them. */
export function without(ranges: readonly ByteRange[], known: readonly ByteRange[]): ByteRange[] {
  return ranges.flatMap((range) => {
    const rest: ByteRange[] = [];
    let { from } = range;
    for (const { from: start, to: end } of known) {
      if (end <= from || start >= range.to) continue;
      if (start > from) rest.push({ from, to: start });
      from = end;
    }
    return from < range.to ? [...rest, { from, to: range.to }] : rest;
  });
}

export const sizeOf = (ranges: readonly ByteRange[]): number =>
  ranges.reduce((sum, { from, to }) => sum + to - from, 0);
