/** What a chunk is to leave in the store, and where an attempt that finds some of it there has to begin. */
import { framesOfChunk, type Chunk, type Grid, type StillsPlan } from '../../contracts/plan.js';

/** Single frames of a chunk: the poster's by grid frame, the storyboard's by tile. */
export interface ChunkStills {
  readonly posterFrames: readonly number[];
  readonly tiles: readonly number[];
}

export const NO_STILLS: ChunkStills = { posterFrames: [], tiles: [] };

export const chunkEnd = ({ firstSegment, segments }: Chunk): number => firstSegment + segments;

export const holds = (chunk: Chunk, segment: number): boolean =>
  segment >= chunk.firstSegment && segment < chunkEnd(chunk);

/** What is left of a chunk from a segment on. */
export const chunkFrom = (chunk: Chunk, firstSegment: number): Chunk => ({
  firstSegment,
  segments: chunkEnd(chunk) - firstSegment,
});

export function stillsOf(stills: StillsPlan, grid: Grid, chunk: Chunk): ChunkStills {
  const from = chunk.firstSegment * grid.segmentFrames;
  const to = from + framesOfChunk(grid, chunk);
  const { storyboard } = stills;
  const first = storyboard ? Math.ceil(from / storyboard.intervalFrames) : 0;
  const end = storyboard ? Math.min(storyboard.tiles, Math.ceil(to / storyboard.intervalFrames)) : 0;
  return {
    posterFrames: stills.posterFrames.filter((frame) => frame >= from && frame < to),
    tiles: Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i),
  };
}

/** First segment of the chunk that some rung lacks; one past the chunk's last where none does. */
export function firstMissing(chunk: Chunk, present: readonly ReadonlySet<number>[]): number {
  for (let segment = chunk.firstSegment; segment < chunkEnd(chunk); segment += 1) {
    if (present.some((segments) => !segments.has(segment))) return segment;
  }
  return chunkEnd(chunk);
}

/** The segment that holds the first of these stills; Infinity where there are none. */
export function firstOfStills({ posterFrames, tiles }: ChunkStills, { storyboard }: StillsPlan, grid: Grid): number {
  const frames = [...posterFrames, ...tiles.map((tile) => tile * (storyboard?.intervalFrames ?? 0))];
  return Math.floor(Math.min(...frames) / grid.segmentFrames);
}

/** What all names of a chunk's segments start with: a listing of it is a short one. `seg-0001` for 12 to 18. */
export function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return a.slice(0, length);
}
