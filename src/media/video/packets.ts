/** Measures streams by their packets, because headers lie about durations and frame rates. */

export interface StreamSpan {
  /** Packets that are shown (an edit list may discard some). */
  readonly packets: number;
  /** Seconds on the file's own clock: first presentation, last presentation, end of what is shown last. */
  readonly start: number;
  readonly last: number;
  readonly end: number;
  /** Seconds between two packets where they come fast: the lower quartile; 0 for a single one. */
  readonly interval: number;
  /** Packets without a time stamp, or decoded clearly earlier than the one before them: the clock can't be relied on. */
  readonly disorder: number;
}

/** What `PacketMeter` reads: ffprobe's `-show_entries` for `-of csv=p=0`. */
export const PACKET_ENTRIES = 'packet=stream_index,pts_time,dts_time,duration_time,flags';

interface Tally {
  packets: number;
  start: number;
  last: number;
  end: number;
  previous: number;
  /** Seconds: last decoding time that was given, not guessed. */
  decoded: number;
  disorder: number;
  /** Milliseconds between packets, and how often. */
  readonly intervals: Map<number, number>;
}

/** Bounds the memory that a hostile file can claim. */
const MAX_STREAMS = 256;
/** Demuxers that work decoding times out themselves are off by some frames at times. Seconds. */
const JITTER = 0.25;
export const MAX_INTERVALS = 2048;

/** Feed it line by line; lines that are no packets are passed over. */
export class PacketMeter {
  private readonly tallies = new Map<number, Tally>();

  add(line: string): void {
    const [index, pts, dts, duration, flags] = line.split(',');
    const stream = Number.parseInt(index ?? '', 10);
    // D: decoded but not shown.
    if (!Number.isInteger(stream) || flags === undefined || flags.includes('D')) return;
    const at = seconds(pts) ?? seconds(dts);
    const tally = this.tallyOf(stream);
    if (!tally) return;
    tally.packets += 1;
    if (at === undefined) {
      tally.disorder += 1;
      return;
    }
    const end = at + (seconds(duration) ?? 0);
    if (at < tally.start) tally.start = at;
    if (at > tally.last) tally.last = at;
    if (end > tally.end) tally.end = end;
    // Decoding time goes forward evenly where presentation times jump (B frames).
    const decoded = seconds(dts);
    if (decoded !== undefined) {
      if (decoded < tally.decoded - JITTER) tally.disorder += 1;
      tally.decoded = decoded;
    }
    const step = decoded ?? at;
    const interval = Math.round((step - tally.previous) * 1000);
    tally.previous = step;
    if (interval > 0 && (tally.intervals.size < MAX_INTERVALS || tally.intervals.has(interval)))
      tally.intervals.set(interval, (tally.intervals.get(interval) ?? 0) + 1);
  }

  spans(): Map<number, StreamSpan> {
    const measured = [...this.tallies].filter(([, tally]) => Number.isFinite(tally.start));
    return new Map(
      measured.map(([index, { packets, start, last, end, disorder, intervals }]) => [
        index,
        { packets, start, last, end, interval: lowerQuartile(intervals) / 1000, disorder },
      ]),
    );
  }

  private tallyOf(stream: number): Tally | undefined {
    let tally = this.tallies.get(stream);
    if (!tally && this.tallies.size < MAX_STREAMS) {
      tally = {
        packets: 0,
        start: Infinity,
        last: -Infinity,
        end: -Infinity,
        previous: NaN,
        decoded: NaN,
        disorder: 0,
        intervals: new Map(),
      };
      this.tallies.set(stream, tally);
    }
    return tally;
  }
}

function seconds(text: string | undefined): number | undefined {
  const value = Number.parseFloat(text ?? '');
  return Number.isFinite(value) ? value : undefined;
}

/** @param counts how often each value occurs */
export function lowerQuartile(counts: ReadonlyMap<number, number>): number {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const quarter = sorted.reduce((sum, [, count]) => sum + count, 0) / 4;
  let seen = 0;
  for (const [value, count] of sorted) {
    seen += count;
    if (seen >= quarter) return value;
  }
  return 0;
}
