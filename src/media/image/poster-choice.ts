/** Which of several frames makes the best poster. */

/** 0-255: darker or brighter on the whole than these, a frame shows little; at 0 and 255 it shows nothing. */
const DARK = 50;
const BRIGHT = 205;

/** Where more no longer makes a better picture; grain and noise come out higher than any subject. */
const FULL_SHARPNESS = 25;
const FULL_CONTRAST = 60;
const FULL_ENTROPY = 7.5;

/** Frames within this part of the best are as good: the earlier one is taken, it is the closer to the beginning. */
const AS_GOOD = 0.95;

interface Looks {
  readonly brightness: number;
  readonly contrast: number;
  readonly entropy: number;
  readonly sharpness: number;
}

/** 0 (black, white or one colour) to 1. */
export function rate({ brightness, contrast, entropy, sharpness }: Looks): number {
  const exposure = Math.min(1, brightness / DARK, (255 - brightness) / (255 - BRIGHT));
  // A root, because the step from blurred to sharp counts for more than the one from sharp to very sharp.
  const detail = Math.sqrt(Math.min(1, sharpness / FULL_SHARPNESS));
  const range = Math.min(1, contrast / FULL_CONTRAST);
  const shades = Math.min(1, entropy / FULL_ENTROPY);
  return Math.max(0, exposure) * (0.5 * detail + 0.25 * range + 0.25 * shades);
}

/** @returns index of the best; 0 of several that show nothing */
export function choosePoster(candidates: readonly Looks[]): number {
  const rates = candidates.map(rate);
  const enough = Math.max(...rates) * AS_GOOD;
  return rates.findIndex((one) => one >= enough);
}
