/** When a video will be published as far as one knows, and what is to be done for it to be in time. Pure rules. */
import type { Priority } from './assets.js';

/** One video at one moment. Times in milliseconds since 1970. */
export interface Outlook {
  readonly now: number;
  readonly publishBy: number;
  /** Work that is left (`projection.ts`), from the lowest rung up; decoding is the lowest one's. */
  readonly layers: readonly number[];
  /** The same in a hurry. */
  readonly hastyLayers: readonly number[];
  /** Of the lowest rung in a hurry, whatever may be under way. */
  readonly lowest: number;
  /** Each is a step of its own. */
  readonly chunksLeft: number;
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

/** Of a step, beside its encode: to be handed out, to fetch its source, to store what it made. */
const STEP_SECONDS = 0.5;

/** Seconds until so much work is done. */
function secondsFor(work: number, { speed, lanes, waitSeconds, chunksLeft }: Outlook): number {
  return work === 0 ? 0 : waitSeconds + (work / speed + chunksLeft * STEP_SECONDS) / lanes;
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
  const { now, publishBy, layers, hastyLayers, publishSeconds, reserveSeconds } = outlook;
  const publishAt = publishBy - reserveSeconds * MS;
  const available = (publishAt - now) / MS;
  const fits = (some: readonly number[]): boolean => secondsFor(sum(some), outlook) * SAFETY <= available;

  const isHasty = !fits(layers);
  const best = isHasty ? hastyLayers : layers;
  let rungs = layers.length;
  while (rungs > 1 && !fits(best.slice(0, rungs))) rungs -= 1;

  // Whatever waits: it goes before that.
  const alone = { ...outlook, waitSeconds: 0 };
  const earliest = now + (secondsFor(sum(hastyLayers.slice(0, 1)), alone) + publishSeconds) * MS;
  const all = now + (secondsFor(sum(best), outlook) + publishSeconds) * MS;
  const least = secondsFor(outlook.lowest, alone) * LAST_CALL_SAFETY + STOPPING_SECONDS;
  return {
    rungs,
    isHasty,
    isAtRisk: earliest > publishBy,
    projectedAt: all <= publishBy ? all : Math.max(earliest, publishAt + publishSeconds * MS),
    lastCallAt: publishAt - least * MS,
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
export const SAFE_PRIORITY: Priority = 4;

/** @param slackSeconds until everything must give way to its lowest rung. @param own the job's */
export function priorityBySlack(slackSeconds: number, own: Priority): Priority {
  if (slackSeconds < 30) return 1;
  if (slackSeconds < 120) return Math.min(2, own) as Priority;
  return Math.min(SAFE_PRIORITY, own) as Priority;
}

/**
 * Until it is worth while to look again: often when little time is left, or too little, rarely when there is much. So
 * that few looks make up even a long time. Seconds.
 */
export const nextLookIn = (slackSeconds: number): number => Math.max(1, Math.abs(slackSeconds) / 8);
