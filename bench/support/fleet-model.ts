/** What a fleet would need for a video, from what one chunk was measured to cost. On paper: nothing runs here. */
import { chunksOf, type Grid } from '../../src/contracts/plan.js';

/** Measured, seconds. */
export interface Costs {
  /** From the workflow's start until its first chunk is scheduled. */
  readonly before: number;
  /** Of a chunk beside encoding: being scheduled, fetching its part of the source, shipping, reporting. */
  readonly perChunk: number;
  /** Of a second of media on one worker. */
  readonly perMediaSecond: number;
  /** From the last chunk's end to the workflow's, of a segment: verification reads each of them. */
  readonly afterPerSegment: number;
  /** The same, whatever the length. */
  readonly after: number;
  /** One workflow takes its steps one at a time: from a chunk's end until the next one is scheduled. */
  readonly decision: number;
}

const SEGMENT_SECONDS = 4;

/** Seconds from start to end of one video. @param lanes chunks of one video that may run at once */
export function wall(costs: Costs, workers: number, seconds: number, chunkSegments: number, lanes: number): number {
  const totalFrames = Math.ceil(seconds);
  const grid: Grid = { fps: { num: 1, den: 1 }, gopFrames: 2, segmentFrames: SEGMENT_SECONDS, totalFrames };
  const chunks = chunksOf({ grid, chunkSegments });
  const free = new Array<number>(Math.min(workers, lanes)).fill(costs.before);
  let decided = costs.before;
  for (const { segments } of chunks) {
    const next = free.indexOf(Math.min(...free));
    decided = Math.max(decided + costs.decision, free[next]!);
    free[next] = decided + costs.perChunk + segments * SEGMENT_SECONDS * costs.perMediaSecond;
  }
  return Math.max(...free) + costs.after + (costs.afterPerSegment * seconds) / SEGMENT_SECONDS;
}
