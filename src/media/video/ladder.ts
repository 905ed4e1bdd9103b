/** The rungs of a video: which sizes, how good, how many bits. */
import type { VideoRung } from '../../contracts/plan.js';
import { h264Level } from './level.js';

interface Step {
  /** Short side, so that portrait video gets the same rungs as landscape. */
  readonly short: number;
  readonly crf: number;
  readonly maxrateKbps: number;
}

const STEPS: readonly Step[] = [
  { short: 1080, crf: 22, maxrateKbps: 5000 },
  { short: 720, crf: 22, maxrateKbps: 2800 },
  { short: 480, crf: 23, maxrateKbps: 1400 },
  { short: 360, crf: 23, maxrateKbps: 800 },
];

/** Half again the bits for twice the frames: neighbouring frames resemble each other more. */
const HIGH_RATE_FACTOR = 1.5;

/** Decoders in phones and televisions refuse wider pictures. */
const MAX_LONG_SIDE = 4096;

/**
 * Largest first; never larger than the source; a source below 360 has one rung of its own size. All
 * sides even (4:2:0), at least 2.
 *
 * @param width displayed size of the source in square pixels
 * @param fps output frame rate
 */
export function ladder(width: number, height: number, fps: number, preset: string): VideoRung[] {
  const short = Math.min(width, height);
  const fitting = STEPS.filter((step) => step.short <= short);
  const steps = fitting.length > 0 ? fitting : [{ ...STEPS.at(-1)!, short }];
  const rungs = steps.map((step) => rungOf(step, width, height, fps, preset));
  // Very wide pictures are bounded by their long side: several rungs may come out alike.
  return rungs.filter((rung, index) => rungs.findIndex(({ name }) => name === rung.name) === index);
}

function rungOf(step: Step, width: number, height: number, fps: number, preset: string): VideoRung {
  const scale = Math.min(step.short / Math.min(width, height), MAX_LONG_SIDE / Math.max(width, height), 1);
  const size = { width: even(width, scale), height: even(height, scale) };
  const maxrateKbps = Math.round(step.maxrateKbps * (fps > 30 ? HIGH_RATE_FACTOR : 1));
  const bufsizeKbps = maxrateKbps * 2;
  return {
    name: `${Math.min(size.width, size.height)}p`,
    ...size,
    codec: 'h264',
    crf: step.crf,
    maxrateKbps,
    bufsizeKbps,
    preset,
    level: h264Level(size.width, size.height, fps, maxrateKbps, bufsizeKbps),
  };
}

/** The nearest even number of pixels that does not exceed the source's side. */
function even(side: number, scale: number): number {
  const nearest = 2 * Math.round((side * scale) / 2);
  return Math.max(2, nearest > side ? 2 * Math.floor(side / 2) : nearest);
}
