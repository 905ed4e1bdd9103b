/** How much work it is to encode a video, rung by rung, in one unit for all codecs and sizes. Pure. */
import { framesOfChunk, type Chunk, type VideoPlan, type VideoRung } from './plan.js';

/** Of the source's pixels: what decoding costs, beside encoding as many with x264's `veryfast`. */
const DECODING = 0.1;

/** What a preset of x264 costs, beside `veryfast`. */
const PRESETS: Readonly<Record<string, number>> = {
  ultrafast: 0.5,
  superfast: 0.7,
  veryfast: 1,
  faster: 1.5,
  fast: 2,
  medium: 2.5,
  slow: 4,
  slower: 8,
  veryslow: 14,
  placebo: 40,
};
/** Of the others, with presets of their own: as well as one number can say it. */
const CODECS: Readonly<Record<VideoRung['codec'], number>> = { h264: 1, hevc: 4, av1: 4, vp9: 6 };
/** What is left of the cost of a picture where encoding it is in a hurry. */
const HASTE = 0.7;

export interface Effort {
  readonly isHasty?: boolean | undefined;
}

const megapixels = ({ width, height }: { readonly width: number; readonly height: number }): number =>
  (width * height) / 1e6;

function weightOf({ codec, preset }: VideoRung, isHasty: boolean): number {
  if (codec !== 'h264') return CODECS[codec];
  const weight = PRESETS[preset] ?? 1;
  // What takes time is what haste leaves out, and not much is left out of the fast ones.
  return isHasty ? Math.min(weight, HASTE) : weight;
}

/** Work of a chunk's decode alone, in megapixels encoded with `veryfast`. */
export function decodingOf(plan: Pick<VideoPlan, 'grid' | 'facts'>, chunk: Chunk): number {
  if (!plan.grid || !plan.facts.video) return 0;
  return framesOfChunk(plan.grid, chunk) * megapixels(plan.facts.video) * DECODING;
}

/** Work of one rung of a chunk, without decoding. */
export function encodingOf(
  plan: Pick<VideoPlan, 'grid'>,
  chunk: Chunk,
  rung: VideoRung,
  { isHasty = false }: Effort = {},
): number {
  if (!plan.grid || rung.passthrough) return 0;
  return framesOfChunk(plan.grid, chunk) * megapixels(rung) * weightOf(rung, isHasty);
}

/** Work of a run that makes some rungs of a chunk. */
export const workOf = (
  plan: Pick<VideoPlan, 'grid' | 'facts'>,
  chunk: Chunk,
  rungs: readonly VideoRung[],
  effort?: Effort,
): number => rungs.reduce((sum, rung) => sum + encodingOf(plan, chunk, rung, effort), decodingOf(plan, chunk));

/** Rungs in the order in which they are worth having: what every player takes first, then from the smallest up. */
export const fromTheBottom = (rungs: readonly VideoRung[]): VideoRung[] =>
  rungs.toSorted((a, b) => Number(a.codec !== 'h264') - Number(b.codec !== 'h264') || megapixels(a) - megapixels(b));
