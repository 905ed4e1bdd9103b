/** What a pool learns: how often somebody asks, and how long a start takes. Times in milliseconds of one clock. */

/** Seconds in which the memory of an arrival fades to 1/e. */
const RATE_MEMORY = 15;
/** Arrivals come in bunches: so many standard deviations of a Poisson process above the mean. */
const MARGIN = 1;
const STARTS_REMEMBERED = 100;
/** With fewer, what was said of starts is believed rather than what was seen. */
const FEWEST_STARTS = 5;

/** Arrivals per second, the later ones with the greater weight. */
export class ArrivalRate {
  private rate = 0;
  private at = 0;

  count(now: number): void {
    this.rate = this.perSecond(now) + 1 / RATE_MEMORY;
    this.at = now;
  }

  perSecond(now: number): number {
    return this.rate * Math.exp(-(now - this.at) / 1000 / RATE_MEMORY);
  }
}

export class StartTimes {
  private readonly seen: number[] = [];

  /** @param promised no start takes longer, as far as one knows. Seconds. */
  constructor(private readonly promised: number) {}

  count(ms: number): void {
    this.seen.push(ms);
    if (this.seen.length > STARTS_REMEMBERED) this.seen.shift();
  }

  /** The slowest that was seen or is to be feared, milliseconds. */
  get boundMs(): number {
    return Math.max(this.promised * 1000, ...this.seen);
  }

  /** 95 of 100 are done in so many milliseconds. */
  get usualMs(): number {
    if (this.seen.length < FEWEST_STARTS) return this.promised * 1000;
    const sorted = [...this.seen].sort((a, b) => a - b);
    return sorted[Math.ceil(sorted.length * 0.95) - 1]!;
  }
}

/** Little's law: as many as are asked for while one starts, and a margin for bunches. */
export function wantedReady(perSecond: number, startMs: number): number {
  const during = (perSecond * startMs) / 1000;
  // What is left of a rate after minutes of quiet is nobody.
  return during < 0.05 ? 0 : Math.ceil(during + MARGIN * Math.sqrt(during));
}
