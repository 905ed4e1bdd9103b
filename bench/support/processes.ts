/** What processes cost and when they ran, from /proc. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { descendants } from '../../test/support/processes.js';

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/**
 * Core-seconds that the whole machine has worked: everything that a side of a comparison starts counts, servers
 * and sandboxed children too (whose share never reaches their parent). Nothing else may run beside it.
 */
export function coreSeconds(): number {
  // proc(5): user, nice, system, idle, iowait, irq, softirq.
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
    .split(/\s+/)
    .slice(1, 8)
    .map(Number);
  return (user! + nice! + system! + irq! + softirq!) / TICKS;
}

export interface EncoderWatch {
  /** Milliseconds since the epoch of stretches in which at least one ffmpeg ran, in order. */
  stop(): { readonly from: number; readonly to: number }[];
}

/** Samples the processes below some others. What is shorter than a sample may be missed: it counts as not encoding. */
export function watchEncoders(pids: readonly number[], everyMs = 20): EncoderWatch {
  const stretches: { from: number; to: number }[] = [];
  let running = false;
  const timer = setInterval(() => {
    const now = Date.now();
    const here = pids.some((pid) => descendants(pid).some(({ name }) => name === 'ffmpeg'));
    if (here && running) stretches.at(-1)!.to = now;
    else if (here) stretches.push({ from: now, to: now });
    running = here;
  }, everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      return stretches;
    },
  };
}
