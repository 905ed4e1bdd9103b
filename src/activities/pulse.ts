/** Notices that this process stood still: stopped, swapped out, or paused together with its machine. */
import { frozenFailure } from './failures.js';

/**
 * The time between two beats, by a clock that no clock setting moves. When it is longer than Temporal waits for a
 * heartbeat, the attempt has been given to somebody else: it must not go on, whatever it was about to do.
 */
export class Pulse {
  private readonly stopped = new AbortController();
  private last: number;

  /**
   * @param timeoutMs heartbeat time-out of the activity; without one nobody takes over
   * @param now milliseconds that only ever grow
   */
  constructor(
    private readonly timeoutMs: number | undefined,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.last = now();
  }

  /** Aborted once it is too late. Its reason is a retryable failure. */
  get signal(): AbortSignal {
    return this.stopped.signal;
  }

  /** To be called regularly. @returns false when it is too late */
  beat(): boolean {
    if (this.isTooLate()) return false;
    this.last = this.now();
    return true;
  }

  /** The first thing that runs after a stop may be anything, not only the next beat. */
  assertAlive(): void {
    if (this.isTooLate()) throw this.signal.reason;
  }

  private isTooLate(): boolean {
    const silence = this.now() - this.last;
    if (this.timeoutMs && silence > this.timeoutMs) this.stopped.abort(frozenFailure(silence / 1000));
    return this.stopped.signal.aborted;
  }
}
