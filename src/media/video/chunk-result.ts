/** Adds up what a chunk has brought, over all attempts. */
import type { Chunk, EncodedRendition, Grid } from '../../contracts/plan.js';
import { peakBitrate } from './bitrate.js';
import { toNumber } from './frame-rate.js';
import { framesOfSegment } from './plan.js';

export interface SegmentFacts {
  readonly segment: number;
  readonly bytes: number;
  /** Frames. */
  readonly samples: number;
}

export function encodedRung(
  name: string,
  codecs: string,
  segments: readonly SegmentFacts[],
  grid: Grid,
): EncodedRendition {
  const fps = toNumber(grid.fps);
  return {
    name,
    segments: segments.length,
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    peakBitrate: peakBitrate(segments.map(({ bytes, samples }) => ({ bytes, seconds: samples / fps }))),
    units: segments.reduce((sum, { samples }) => sum + samples, 0),
    codecs,
  };
}

/** First segment of the chunk that some rung lacks; one past the chunk's last where none does. */
export function firstMissing(chunk: Chunk, present: readonly ReadonlySet<number>[]): number {
  const end = chunk.firstSegment + chunk.segments;
  for (let segment = chunk.firstSegment; segment < end; segment += 1) {
    if (present.some((segments) => !segments.has(segment))) return segment;
  }
  return end;
}

export function framesOfChunk(grid: Grid, chunk: Chunk): number {
  return Array.from({ length: chunk.segments }, (_, i) => framesOfSegment(grid, chunk.firstSegment + i)).reduce(
    (a, b) => a + b,
    0,
  );
}
