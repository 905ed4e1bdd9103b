/** Milliseconds. */
const FIRST = 500;
const CAP = 10_000;

/** Exponential back-off of many concurrent tasks against one service: a round of failures counts once. */
export class Backoff {
  private failures = 0;
  private until = 0;

  constructor(
    private readonly now: () => number = Date.now,
    private readonly random: () => number = Math.random,
  ) {}

  /** Milliseconds until the next try. */
  remaining(): number {
    return Math.max(0, this.until - this.now());
  }

  /** @returns the pause that begins now, in milliseconds; nothing when one is under way already. */
  failed(): number | undefined {
    if (this.remaining() > 0) return undefined;
    // Up to a quarter longer, so that many starters do not come back in step.
    const pause = Math.min(CAP, FIRST * 2 ** this.failures) * (1 + this.random() / 4);
    this.failures += 1;
    this.until = this.now() + pause;
    return pause;
  }

  /** @returns whether this ends a series of failures. */
  succeeded(): boolean {
    const recovered = this.failures > 0 && this.remaining() === 0;
    if (recovered) this.failures = 0;
    return recovered;
  }
}
