/** Peak memory of the children of a process, sampled from /proc. */
import { readFileSync } from 'node:fs';

import { descendants } from '../../test/support/processes.js';

const SAMPLE_MS = 100;

/** Wrappers that start a tool and wait for it: not what is measured. */
const WRAPPERS = new Set(['bwrap', 'prlimit', 'setpriv', 'nice', 'sh']);

export interface MemoryWatch {
  /** Highest resident set of any one child so far, in MiB. */
  stop(): number;
}

export function watchMemory(pid: number): MemoryWatch {
  let peakKiB = 0;
  // A child that has served before carries its old high-water mark: of it, only what it holds now counts.
  const old = new Set(descendants(pid).map((child) => child.pid));
  const sample = (): void => {
    for (const child of descendants(pid))
      peakKiB = Math.max(peakKiB, memoryOf(child.pid, old.has(child.pid) ? 'VmRSS' : 'VmHWM'));
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      sample();
      return peakKiB / 1024;
    },
  };
}

function memoryOf(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    if (WRAPPERS.has(/^Name:\t(.*)$/m.exec(status)?.[1] ?? '')) return 0;
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** What a process and its children hold at this moment, MiB. */
export function residentMiB(pid: number): { worker: number; children: number } {
  const children = descendants(pid).reduce((sum, child) => sum + memoryOf(child.pid, 'VmRSS'), 0);
  return { worker: memoryOf(pid, 'VmRSS') / 1024, children: children / 1024 };
}
