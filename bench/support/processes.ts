/** What processes cost and when they ran, from /proc. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { descendants } from '../../test/support/processes.js';

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/**
 * Core-seconds of a process and of all below it, those that have ended included.
 *
 * @param self whether the process's own share counts, beside that of its children
 */
export function coreSeconds(pid: number, self = true): number {
  const ticks = [pid, ...descendants(pid).map((child) => child.pid)].map((one) => {
    try {
      const text = readFileSync(`/proc/${one}/stat`, 'utf8');
      // proc(5): utime, stime, and of the children waited for cutime, cstime are fields 14 to 17.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      const [own, ownSystem, children, childrenSystem] = fields.slice(11, 15).map(Number);
      return (one !== pid || self ? own! + ownSystem! : 0) + children! + childrenSystem!;
    } catch {
      // It ended between the list and the look: its parent has its ticks.
      return 0;
    }
  });
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS;
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
