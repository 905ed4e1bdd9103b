/** Compares what was planned, what the encoders say, and what the store holds, before anything is published. */
import type { ChunkResult, EncodedRendition, Grid, VideoPlan } from '../../contracts/plan.js';
import { AAC_FRAME, audioSegmentFrames } from './audio-args.js';
import { averageBitrate, peakBitrate } from './bitrate.js';
import { INIT_FILE, segmentName } from './encode-args.js';
import { toNumber } from './frame-rate.js';
import { streamUri, type StreamType } from './layout.js';
import { framesOfSegment } from './plan.js';

/** Name below the asset's prefix -> bytes. */
export type Listing = ReadonlyMap<string, number>;

export interface VerifyInput {
  readonly plan: VideoPlan;
  readonly chunks: readonly ChunkResult[];
  readonly audio: readonly EncodedRendition[];
  /** Names of rungs and tracks that are known to be missing. */
  readonly withdrawn: ReadonlySet<string>;
  readonly listing: Listing;
}

/** A rung or track that passed. */
export interface VerifiedStream {
  readonly type: StreamType;
  readonly name: string;
  readonly codecs: string;
  /** Seconds of every segment. */
  readonly durations: readonly number[];
  /** Seconds. */
  readonly duration: number;
  /** All bytes, the init segment's too. */
  readonly bytes: number;
  /** Bits per second. */
  readonly peak: number;
  readonly average: number;
}

export interface Finding {
  /** Name of the rung or track. */
  readonly name: string;
  /** A sentence. */
  readonly problem: string;
}

export interface Verdict {
  readonly passed: readonly VerifiedStream[];
  readonly findings: readonly Finding[];
  /** Frames that there really are; the plan's number unless the source ended early. */
  readonly frames: number;
}

/** What a sound track and the picture may differ in from their lengths in the source. Seconds, and share. */
const LENGTH_TOLERANCE = 0.5;
const LENGTH_SHARE = 0.1;

export function verify(input: VerifyInput): Verdict {
  const { plan, withdrawn } = input;
  const results: (VerifiedStream | Finding)[] = [];
  let frames = 0;
  if (plan.grid) {
    const lengths = realFrames(input.chunks);
    frames = lengths.frames;
    for (const { name } of plan.rungs.filter((rung) => !withdrawn.has(rung.name))) {
      results.push(lengths.problem ? { name, problem: lengths.problem } : verifyRung(input, plan.grid, name, frames));
    }
  }
  for (const { name } of plan.audio.filter((track) => !withdrawn.has(track.name)))
    results.push(verifyTrack(input, name));
  return {
    passed: results.filter((r): r is VerifiedStream => !('problem' in r)),
    findings: results.filter((r): r is Finding => 'problem' in r),
    frames,
  };
}

/** The real end is where the first chunk ended early; nothing may follow it. */
function realFrames(chunks: readonly ChunkResult[]): { frames: number; problem?: string } {
  let frames = 0;
  let ended = false;
  for (const chunk of [...chunks].sort((a, b) => a.index - b.index)) {
    const units = Math.max(0, ...chunk.renditions.map((rendition) => rendition.units));
    if (ended && units > 0) return { frames, problem: `Chunk ${chunk.index} follows a gap.` };
    frames += units;
    ended ||= chunk.endedEarly;
  }
  return { frames };
}

function verifyRung(
  { chunks, listing, plan }: VerifyInput,
  grid: Grid,
  name: string,
  frames: number,
): VerifiedStream | Finding {
  const parts = chunks.flatMap((chunk) => chunk.renditions.filter((rendition) => rendition.name === name));
  const made = parts.reduce((sum, part) => sum + part.units, 0);
  if (parts.length !== plan.chunks.length)
    return { name, problem: `${parts.length} of ${plan.chunks.length} chunks were made.` };
  if (made !== frames || made === 0) return { name, problem: `${made} of ${frames} frames were made.` };
  const codecs = [...new Set(parts.map((part) => part.codecs).filter((codec) => codec !== ''))];
  if (codecs.length !== 1) return { name, problem: `Its chunks differ in codec: ${codecs.join(', ')}.` };
  const real = { ...grid, totalFrames: frames };
  const count = Math.ceil(frames / grid.segmentFrames);
  const durations = Array.from({ length: count }, (_, segment) => framesOfSegment(real, segment) / toNumber(grid.fps));
  return measured('video', name, codecs[0]!, durations, listing);
}

function verifyTrack({ plan, audio, listing }: VerifyInput, name: string): VerifiedStream | Finding {
  const result = audio.find((rendition) => rendition.name === name);
  const track = plan.audio.find((candidate) => candidate.name === name);
  const source = plan.facts.audio.find(({ streamIndex }) => streamIndex === track?.streamIndex);
  if (!result || !track || !source) return { name, problem: 'It was not made.' };
  const durations = audioSegmentFrames(result.units, track.sampleRate).map(
    (count) => (count * AAC_FRAME) / track.sampleRate,
  );
  const duration = sum(durations);
  if (Math.abs(duration - source.duration) > LENGTH_TOLERANCE + source.duration * LENGTH_SHARE)
    return { name, problem: `It is ${duration.toFixed(2)} s long, not ${source.duration.toFixed(2)} s.` };
  return measured('audio', name, result.codecs, durations, listing);
}

/** Everything must be in the store, and nothing empty. */
function measured(
  type: StreamType,
  name: string,
  codecs: string,
  durations: readonly number[],
  listing: Listing,
): VerifiedStream | Finding {
  const bytesOf = (file: string): number => listing.get(streamUri(type, name) + file) ?? 0;
  const init = bytesOf(INIT_FILE);
  if (init === 0) return { name, problem: 'Its init segment is missing.' };
  const segments = durations.map((_, segment) => bytesOf(segmentName(segment)));
  const missing = segments.indexOf(0);
  if (missing >= 0) return { name, problem: `Segment ${missing} is missing.` };
  const duration = sum(durations);
  const sized = segments.map((bytes, i) => ({ bytes, seconds: durations[i]! }));
  return {
    type,
    name,
    codecs,
    durations,
    duration,
    bytes: init + sum(segments),
    peak: peakBitrate(sized),
    average: averageBitrate(sized),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
