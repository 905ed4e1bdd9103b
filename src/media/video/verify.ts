/** Compares what was planned with what the store holds, before anything is published and whenever somebody asks. */
import type { Finding } from '../../contracts/activities.js';
import type { AudioTrack, Chunk, Grid, VideoPlan, VideoRung } from '../../contracts/plan.js';
import { AAC_FRAME, audioSamples } from './audio-args.js';
import { averageBitrate, peakBitrate } from './bitrate.js';
import type { FragmentHead, TrackFacts } from './fragment-head.js';
import type { StreamType } from './layout.js';
import type { InitFacts } from './mp4.js';
import { AAC_LC, audioTimeline, secondsOfSegments, videoTimeline, type IFrame, type Timeline } from './presentation.js';

/** Of one segment, what its size and its first bytes say; a sentence where they make no sense. */
export interface SegmentScan {
  readonly bytes: number;
  readonly head?: FragmentHead | undefined;
  readonly problem?: string | undefined;
}

/** What the store holds of one rung or track. */
export interface StreamScan {
  /** Bytes of the init segment; 0 where it is missing. */
  readonly initBytes: number;
  /** Undefined where it is missing or can not be read. */
  readonly init?: (InitFacts & TrackFacts) | undefined;
  /** By number. */
  readonly segments: ReadonlyMap<number, SegmentScan>;
}

/** A rung or track that passed. */
export interface VerifiedStream {
  readonly type: StreamType;
  readonly name: string;
  readonly codecs: string;
  readonly timeline: Timeline;
  /** Of every segment of a rung. */
  readonly iframes: readonly IFrame[];
  /** Bytes of every segment. */
  readonly sizes: readonly number[];
  /** All bytes, the init segment's too. */
  readonly bytes: number;
  /** Bits per second. */
  readonly peak: number;
  readonly average: number;
}

export type Verdict = VerifiedStream | Finding;
export const isFinding = (verdict: Verdict): verdict is Finding => 'problem' in verdict;

/**
 * A rung must be as the plan says in every frame. What lies behind the real end of a source is not looked at.
 *
 * @param frames on the grid that there really are
 */
export function verifyRung({ grid }: VideoPlan, rung: VideoRung, frames: number, scan: StreamScan): Verdict {
  if (!grid || frames === 0) return { name: rung.name, problem: 'It has no frames.' };
  return verifyStream(scan, wantedOfRung(grid, rung, frames));
}

/** A rung that nobody asks to be mended, for its playlists to be written as they were: nothing in it is checked. */
export function rungAsItIs(grid: Grid, rung: VideoRung, frames: number, scan: StreamScan): VerifiedStream {
  return describe(scan, wantedOfRung(grid, rung, frames));
}

function wantedOfRung(grid: Grid, rung: VideoRung, frames: number): Wanted {
  const timeline = videoTimeline(grid, frames);
  const counts = timeline.segments.map((ticks) => ticks / grid.fps.den);
  return {
    type: 'video',
    name: rung.name,
    codecs: rung.codecs,
    size: rung,
    timeline,
    counts,
    unit: 'frames',
    kbps: rung.maxrateKbps,
    // What is not encoded again has the time stamps of its source, on its source's clock.
    tolerance: (ticks) => (rung.passthrough ? ticks / 2 : 1),
  };
}

/** A track lasts as long as the plan says: its encoder fills it up or cuts it. */
export function verifyTrack(plan: VideoPlan, track: AudioTrack, scan: StreamScan): Verdict {
  return verifyStream(scan, wantedOfTrack(plan, track));
}

/** As `rungAsItIs`. */
export function trackAsItIs(plan: VideoPlan, track: AudioTrack, scan: StreamScan): VerifiedStream {
  return describe(scan, wantedOfTrack(plan, track));
}

function wantedOfTrack(plan: VideoPlan, track: AudioTrack): Wanted {
  const timeline = audioTimeline(track, audioSamples(plan, track));
  return {
    type: 'audio',
    name: track.name,
    codecs: AAC_LC,
    size: { width: 0, height: 0 },
    timeline,
    counts: timeline.segments.map((ticks) => ticks / AAC_FRAME),
    unit: 'frames of sound',
    kbps: track.bitrateKbps,
    tolerance: () => 1,
  };
}

interface Wanted {
  readonly type: StreamType;
  readonly name: string;
  readonly codecs: string;
  readonly size: { readonly width: number; readonly height: number };
  readonly timeline: Timeline;
  /** Samples of every segment. */
  readonly counts: readonly number[];
  readonly unit: string;
  /** Planned. */
  readonly kbps: number;
  /** Ticks that a time may be off by, of the ticks of one sample. */
  tolerance(sampleTicks: number): number;
}

function verifyStream(scan: StreamScan, wanted: Wanted): Verdict {
  const { name, timeline } = wanted;
  const { init } = scan;
  const initProblem = initProblemOf(scan, wanted);
  if (initProblem || !init) return { name, problem: initProblem ?? 'Its init segment is missing.' };
  const faults = new Map<number, string>();
  let start = 0;
  timeline.segments.forEach((ticks, segment) => {
    const problem = segmentProblem(scan.segments.get(segment), segment, { start, ticks, init, wanted });
    if (problem) faults.set(segment, problem);
    start += ticks;
  });
  return faults.size > 0 ? findingOf(name, faults) : describe(scan, wanted);
}

/** A segment that is not there is taken to be as large as its neighbours. */
function describe(scan: StreamScan, { type, name, codecs, timeline, kbps }: Wanted): VerifiedStream {
  const seconds = secondsOfSegments(timeline);
  const segments = timeline.segments.map((_, segment) => scan.segments.get(segment));
  const there = segments.flatMap((segment, i) =>
    segment && segment.bytes > 0 ? [{ bytes: segment.bytes, seconds: seconds[i]! }] : [],
  );
  const usual = averageBitrate(there) || kbps * 1000;
  const sizes = segments.map((segment, i) => segment?.bytes || Math.ceil((usual * seconds[i]!) / 8));
  const sized = sizes.map((bytes, i) => ({ bytes, seconds: seconds[i]! }));
  return {
    type,
    name,
    codecs,
    timeline,
    iframes:
      type === 'video' ? segments.map((segment, i) => ({ bytes: segment?.head?.firstSampleEnd ?? sizes[i]! })) : [],
    sizes,
    bytes: scan.initBytes + sizes.reduce((sum, bytes) => sum + bytes, 0),
    peak: peakBitrate(sized),
    average: averageBitrate(sized),
  };
}

function initProblemOf({ init, initBytes }: StreamScan, { codecs, size }: Wanted): string | undefined {
  if (initBytes === 0) return 'Its init segment is missing.';
  if (!init) return 'Its init segment can not be read.';
  if (init.codecs !== codecs) return `Its init segment is of ${init.codecs}, not ${codecs}.`;
  if (init.width !== size.width || init.height !== size.height)
    return `Its init segment is of ${init.width}x${init.height}, not ${size.width}x${size.height}.`;
  return undefined;
}

interface Place {
  /** On the plan's clock. */
  readonly start: number;
  readonly ticks: number;
  readonly init: InitFacts & TrackFacts;
  readonly wanted: Wanted;
}

function segmentProblem(scan: SegmentScan | undefined, segment: number, place: Place): string | undefined {
  if (!scan || scan.bytes === 0) return 'It is missing.';
  const { head } = scan;
  if (!head) return scan.problem ?? 'It can not be read.';
  const { start, ticks, init, wanted } = place;
  const count = wanted.counts[segment]!;
  if (head.samples !== count) return `It has ${head.samples} of ${count} ${wanted.unit}.`;
  if (head.end !== scan.bytes) return `${scan.bytes - head.end} bytes lie behind its media data.`;
  if (head.sampleBytes !== head.dataBytes)
    return `Its sample table speaks of ${head.sampleBytes} bytes, it has ${head.dataBytes}.`;
  if (head.trackId !== init.trackId) return 'It belongs to another init segment.';
  if (isForeign(head, init)) return 'It was encoded for another rung.';
  if (!head.startsWithSync) return 'It does not start with a key frame.';
  const scale = init.timescale / wanted.timeline.timescale;
  const tolerance = wanted.tolerance((ticks * scale) / count);
  const at = start * scale;
  if (Math.abs(head.decodeTime - at) > tolerance)
    return `It starts at ${seconds(head.decodeTime, init)} s, not ${seconds(at, init)} s.`;
  // The length of the last sample is nobody's word: the next segment's start is.
  const isLast = segment === wanted.counts.length - 1;
  if (!isLast && Math.abs(head.duration - ticks * scale) > tolerance)
    return `It lasts ${seconds(head.duration, init)} s, not ${seconds(ticks * scale, init)} s.`;
  return undefined;
}

/** Rungs differ in the number of their parameter sets: a segment says for which it was encoded. */
const isForeign = ({ parameterSet }: FragmentHead, { parameterSets }: TrackFacts): boolean =>
  parameterSets !== undefined && parameterSet !== undefined && !parameterSets.includes(parameterSet);

const seconds = (ticks: number, { timescale }: InitFacts): string => (ticks / timescale).toFixed(3);

/** Of a finding, as the contract has it. */
const MAX_RUNS = 100;

function findingOf(name: string, faults: ReadonlyMap<number, string>): Finding {
  const segments = [...faults.keys()].sort((a, b) => a - b);
  const [first] = segments as [number];
  const more = segments.length > 1 ? ` ${segments.length} segments are at fault.` : '';
  return { name, problem: `Segment ${first}: ${faults.get(first)}${more}`, segments: runsOf(segments) };
}

/** Runs of neighbours; too many of them are joined where the least is made again in vain. */
export function runsOf(segments: readonly number[]): Chunk[] {
  const runs: { firstSegment: number; segments: number }[] = [];
  for (const segment of segments) {
    const last = runs.at(-1);
    if (last && last.firstSegment + last.segments === segment) last.segments += 1;
    else runs.push({ firstSegment: segment, segments: 1 });
  }
  while (runs.length > MAX_RUNS) {
    const gaps = runs.slice(1).map((run, i) => run.firstSegment - (runs[i]!.firstSegment + runs[i]!.segments));
    const at = gaps.indexOf(Math.min(...gaps));
    const [left, right] = runs.slice(at, at + 2) as [Chunk, Chunk];
    const segmentsOfBoth = right.firstSegment + right.segments - left.firstSegment;
    runs.splice(at, 2, { firstSegment: left.firstSegment, segments: segmentsOfBoth });
  }
  return runs;
}
