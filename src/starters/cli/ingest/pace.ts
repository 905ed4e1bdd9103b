/** How fast items may be submitted. */
import { setTimeout as sleep } from 'node:timers/promises';

const UNITS = { s: 1, min: 60, h: 3600 } as const;

/**
 * @param text `2/s`, `90/min`, `1000/h`
 * @returns items per second, or undefined when it is none
 */
export function parseRate(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\/(s|min|h)$/.exec(text) ?? [];
  const rate = Number(number) / UNITS[unit as keyof typeof UNITS];
  return rate > 0 && rate <= 10_000 ? rate : undefined;
}

/** One after another in equal steps; what comes later than its turn does not make the next ones hurry. */
export class Pacer {
  private due = -Infinity;

  /** @param rate items per second; undefined: as fast as they come */
  constructor(
    private readonly rate: number | undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Milliseconds until the next one's turn, which is taken by asking. */
  turn(): number {
    if (this.rate === undefined) return 0;
    const now = this.now();
    const at = Math.max(now, this.due);
    this.due = at + 1000 / this.rate;
    return at - now;
  }

  async wait(signal: AbortSignal): Promise<void> {
    const ms = this.turn();
    if (ms > 0) await sleep(ms, undefined, { signal });
  }
}
