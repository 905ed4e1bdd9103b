/** When a video will be published as far as one knows, and what can be done for it to be in time. Pure rules. */
import type { Priority } from './assets.js';
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

/** One video at one moment. Times in milliseconds since 1970. */
export interface Outlook {
  readonly now: number;
  readonly publishBy: number;
  /** Work that is left, from the lowest rung up; decoding is the lowest one's. */
  readonly layers: readonly number[];
  /** The same in a hurry. */
  readonly hastyLayers: readonly number[];
  /** What of it is being done, as far as one can tell from outside. */
  readonly underWay: number;
  /** Work per second of one chunk. */
  readonly speed: number;
  /** Chunks at once. */
  readonly lanes: number;
  /** Seconds that a chunk waits for its place. */
  readonly waitSeconds: number;
  /** From the call for publication to its end, when all goes well. */
  readonly publishSeconds: number;
  /** What is kept free in front of the deadline: to publish, and for a worker that dies over it. */
  readonly reserveSeconds: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const MS = 1000;

/** Seconds until so many rungs from the bottom are whole. */
function secondsUntil({ speed, lanes, waitSeconds }: Outlook, layers: readonly number[], done = 0): number {
  const left = Math.max(0, sum(layers) - done);
  return left === 0 ? 0 : waitSeconds + left / (speed * lanes);
}

/** What is to be done for a video to be in time. */
export interface Course {
  /** Rungs that are made first, from the bottom; the others follow. */
  readonly rungs: number;
  readonly isHasty: boolean;
  /** Not even the lowest rung will be there in time, if nothing unforeseen helps. */
  readonly isAtRisk: boolean;
  /** When it will be published. */
  readonly projectedAt: number;
  /** From then on everything must give way to the lowest rung. */
  readonly lastCallAt: number;
  /** When what is whole is published, whatever is still being made. */
  readonly publishAt: number;
}

/** Estimates are off by that much. */
const SAFETY = 1.25;
/** Of the lowest rung in the last minute: what stands in its way has to be stopped first. */
const LAST_CALL_SAFETY = 2;
const STOPPING_SECONDS = 3;

export function courseOf(outlook: Outlook): Course {
  const { now, publishBy, layers, hastyLayers, underWay, publishSeconds, reserveSeconds } = outlook;
  const publishAt = publishBy - reserveSeconds * MS;
  const available = (publishAt - now) / MS;
  const fits = (some: readonly number[]): boolean => secondsUntil(outlook, some, underWay) * SAFETY <= available;

  const isHasty = layers.length > 0 && !fits(layers);
  let rungs = layers.length;
  while (rungs > 1 && !fits((isHasty ? hastyLayers : layers).slice(0, rungs))) rungs -= 1;

  // Whatever waits: it goes before that.
  const lowest = hastyLayers.slice(0, 1);
  const alone = { ...outlook, waitSeconds: 0 };
  const earliest = now + (secondsUntil(alone, lowest, underWay) + publishSeconds) * MS;
  const all = now + (secondsUntil(outlook, isHasty ? hastyLayers : layers, underWay) + publishSeconds) * MS;
  return {
    rungs,
    isHasty,
    isAtRisk: earliest > publishBy,
    projectedAt: all <= publishBy ? all : Math.max(earliest, publishAt + publishSeconds * MS),
    lastCallAt: publishAt - (secondsUntil(alone, lowest) * LAST_CALL_SAFETY + STOPPING_SECONDS) * MS,
    publishAt,
  };
}

/** Where Temporal notices that a worker died: a step's heartbeat timeout and the first pause. */
const DEATH_SECONDS = 12;

/** @param windowSeconds from when encoding starts until the deadline. @param segments of all streams */
export function reserveOf(windowSeconds: number, segments: number): { publishSeconds: number; reserveSeconds: number } {
  const publishSeconds = 2 + segments / 100;
  return { publishSeconds, reserveSeconds: publishSeconds + Math.max(1, Math.min(DEATH_SECONDS, windowSeconds / 5)) };
}

/** Below everything that has a deadline: what was left for later. */
export const UPGRADE_PRIORITY: Priority = 5;
/** The lowest that anything with a deadline has: what is left once it can be published in time. */
const SAFE_PRIORITY = 4;

/** @param slackSeconds from when its lowest rung would be there to when it must be. @param own the job's */
export function priorityBySlack(slackSeconds: number, own: Priority): Priority {
  if (slackSeconds < 30) return 1;
  if (slackSeconds < 120) return Math.min(2, own) as Priority;
  return Math.min(SAFE_PRIORITY, own) as Priority;
}

/** @param isSafe what must be there is there */
export const priorityOnceSafe = (own: Priority): Priority => Math.max(SAFE_PRIORITY, own) as Priority;

/** Until it is worth while to look again: often when little time is left, rarely when there is much. Seconds. */
export const nextLookIn = (slackSeconds: number): number => Math.max(1, Math.min(600, slackSeconds / 8));
