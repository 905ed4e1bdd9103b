/** Which constant frame rate a source is published at. */
import type { Rational } from '../../contracts/plan.js';

const rate = (num: number, den = 1): Rational => ({ num, den });

/** Rates that players and televisions know, in families of nearly equal ones. Ascending. */
const FAMILIES: readonly (readonly Rational[])[] = [
  [rate(24_000, 1001), rate(24)],
  [rate(25)],
  [rate(30_000, 1001), rate(30)],
  [rate(48)],
  [rate(50)],
  [rate(60_000, 1001), rate(60)],
];

/** Measured rates of short files and of millisecond time stamps are this far off. */
const TOLERANCE = 0.01;

export const toNumber = ({ num, den }: Rational): number => num / den;

/**
 * The smallest standard rate that shows every source frame equally long (an integer multiple, within
 * 1 %). Where there is none, the smallest integer one that drops no frame. Above the cap: the largest
 * rate that takes every n-th frame, else the largest allowed.
 *
 * @param sourceFps mean rate of the source, > 0
 * @param maxFps highest rate allowed; below 24 it is itself the rate
 */
export function outputFrameRate(sourceFps: number, maxFps: number): Rational {
  const allowed = FAMILIES.map((family) => family.filter((r) => toNumber(r) <= maxFps)).filter((f) => f.length > 0);
  if (allowed.length === 0) return rate(maxFps);
  for (const family of allowed) {
    const fitting = closest(family, (r) => toNumber(r) / sourceFps);
    if (fitting) return fitting;
  }
  for (const family of allowed) {
    const whole = family.find((r) => r.den === 1);
    if (whole && whole.num >= sourceFps) return whole;
  }
  const descending = [...allowed].reverse();
  for (const family of descending) {
    const fitting = closest(family, (r) => sourceFps / toNumber(r));
    if (fitting) return fitting;
  }
  return descending[0]!.at(-1)!;
}

/** The rate whose ratio lies nearest to a whole number >= 1, when it is within the tolerance. */
function closest(family: readonly Rational[], ratioOf: (r: Rational) => number): Rational | undefined {
  const distance = (r: Rational): number => {
    const ratio = ratioOf(r);
    const whole = Math.max(1, Math.round(ratio));
    return Math.abs(ratio - whole) / whole;
  };
  const best = family.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  return distance(best) <= TOLERANCE ? best : undefined;
}
