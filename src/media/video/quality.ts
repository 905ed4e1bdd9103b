/** Samples of what is in the store, compared with what its encoder got. */
import { framesOfSegment, secondsOf, type Chunk, type Grid, type VideoRung } from '../../contracts/plan.js';
import type { FfmpegCommand, FfmpegFile } from '../ffmpeg-command.js';
import { chunkEnd } from './chunk-result.js';
import { referenceFile } from './encode-args.js';
import { forcedInput } from './ffmpeg-input.js';
import { sizeName, type Size } from './filters.js';

/** Neighbouring frames of one segment. */
export interface Sample {
  readonly segment: number;
  /** First frame, within the segment. */
  readonly from: number;
  readonly count: number;
}

/** Two: one of a GOP and one that leans on it. */
const FRAMES = 2;
/** A chunk with fewer segments than this has its middle near its borders. */
const HAS_MIDDLE = 3;

/** The first frames of a chunk, the last ones, and of a long chunk some from the middle. Ascending, none twice. */
export function samplesOf(grid: Grid, chunk: Chunk): Sample[] {
  const first = chunk.firstSegment;
  const last = chunkEnd(chunk) - 1;
  const lastFrames = framesOfSegment(grid, last);
  const used = last === first ? Math.min(FRAMES, lastFrames) : 0;
  const from = Math.max(used, lastFrames - FRAMES);
  return [
    { segment: first, from: 0, count: Math.min(FRAMES, framesOfSegment(grid, first)) },
    ...(chunk.segments >= HAS_MIDDLE
      ? [{ segment: first + Math.floor(chunk.segments / 2), from: 0, count: FRAMES }]
      : []),
    { segment: last, from, count: lastFrames - from },
  ].filter(({ count }) => count > 0);
}

/** Their places on the grid. */
export const framesOfSamples = (grid: Grid, samples: readonly Sample[]): number[] =>
  samples.flatMap(({ segment, from, count }) =>
    Array.from({ length: count }, (_, i) => segment * grid.segmentFrames + from + i),
  );

/** Those of which there is a reference: a source that ends early leaves none for its end. */
export function withReference(samples: readonly Sample[], references: number): Sample[] {
  let left = references;
  return samples.flatMap((sample) => {
    const count = Math.min(sample.count, left);
    left -= count;
    return count > 0 ? [{ ...sample, count }] : [];
  });
}

/** Bytes of a reference frame: planar 4:2:0, 8 bits. */
export const referenceBytes = ({ width, height }: Size): number => (width * height * 3) / 2;

const STORED_DIR = 'stored';
/** Init segment and media segment in one file. */
export const storedFile = (rung: Pick<VideoRung, 'name'>, segment: number): string =>
  `${STORED_DIR}/${rung.name}-${segment}.mp4`;
export const logFile = (rung: Pick<VideoRung, 'name'>): string => `${STORED_DIR}/${rung.name}.log`;
export const COMPARE_FOLDERS: readonly string[] = [STORED_DIR];

/**
 * What an encoder under a tight cap loses is detail: at full size a right picture of water or confetti comes down
 * to an SSIM of 0.4, and a wrong one up to that. Reduced to this short side, the right ones measured stay above 0.69 and
 * the wrong ones (0.5 or 4 s off, grey) below 0.28. Pixels.
 */
const COMPARED_SIDE = 90;
/** The filter looks at blocks of 8 x 8, in planes of half the size: anything smaller has none. Pixels. */
const SMALLEST_SIDE = 16;
const ENLARGED = 8;

/**
 * Compares the samples of one rung, decoded from its stored segments, with their references. Of a segment only
 * the GOP is decoded that holds the sample, and no further than to its end: `trim` says when it has enough,
 * where `select` would go on to the end of the segment.
 *
 * @param samples at least one, all with a reference
 */
export function compareCommand(rung: VideoRung, grid: Grid, samples: readonly Sample[]): FfmpegCommand {
  const rate = `${grid.fps.num}/${grid.fps.den}`;
  const onClock = `settb=expr=1/25,setpts=N${comparedSize(rung)}`;
  const stored = samples.map(({ from, count }, i) => {
    const first = from - gopStart(grid, from);
    return `[${i}:v:0]trim=start_frame=${first}:end_frame=${first + count},format=yuv420p,setpts=N/25/TB[s${i}]`;
  });
  const joined = samples.map((_, i) => `[s${i}]`).join('');
  const count = samples.reduce((sum, sample) => sum + sample.count, 0);
  return {
    inputs: [
      ...samples.map((sample) => storedInput(rung, grid, sample)),
      {
        file: referenceFile(rung),
        options: [
          ...['-format_whitelist', 'rawvideo', '-f', 'rawvideo', '-pixel_format', 'yuv420p'],
          ...['-video_size', sizeName(rung), '-framerate', rate],
        ],
      },
    ],
    filterGraph: [
      ...stored,
      `${joined}concat=n=${samples.length},${onClock}[stored]`,
      `[${samples.length}:v:0]trim=end_frame=${count},${onClock}[reference]`,
      `[stored][reference]ssim=stats_file=${logFile(rung)}:shortest=1[compared]`,
    ].join(';'),
    outputs: [{ file: '-', options: ['-map', '[compared]', '-fps_mode', 'passthrough', '-f', 'null'] }],
  };
}

function comparedSize({ width, height }: Size): string {
  const side = Math.min(width, height);
  if (side < SMALLEST_SIDE) return `,scale=w=${width * ENLARGED}:h=${height * ENLARGED}:flags=neighbor`;
  if (side <= COMPARED_SIDE) return '';
  const reduced = (pixels: number): number => 2 * Math.round((pixels * COMPARED_SIDE) / side / 2);
  return `,scale=w=${reduced(width)}:h=${reduced(height)}:flags=area`;
}

const gopStart = ({ gopFrames }: Grid, frame: number): number => Math.floor(frame / gopFrames) * gopFrames;

/** Sought to the middle of the GOP, from where a demuxer goes back to its key frame. */
function storedInput(rung: VideoRung, grid: Grid, { segment, from }: Sample): FfmpegFile {
  const start = gopStart(grid, from);
  const middle = secondsOf(grid, start + grid.gopFrames / 2);
  return {
    file: storedFile(rung, segment),
    options: [
      ...forcedInput('mov'),
      ...['-threads', '2'],
      ...(start > 0 ? ['-noaccurate_seek', '-ss', middle.toFixed(6)] : []),
    ],
  };
}

/**
 * @param log what the filter wrote, a line per frame: `n:1 Y:0.99 U:0.99 V:0.99 All:0.99 (23.1)`
 * @returns the lowest frame's, 0-1; 0 where a frame could not be compared
 */
export function lowestSsim(log: string, frames: number): number {
  const values = [...log.matchAll(/ All:(\S+)/g)].map(([, value]) => Number(value));
  if (values.length < frames || values.some(Number.isNaN)) return 0;
  return Math.max(0, Math.min(...values));
}
