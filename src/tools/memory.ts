/** Samples what a child and its descendants hold in memory, from /proc. */
import { familyOf, readProc } from './family.js';

/** Milliseconds after the start of the first samples: many probes live for 50 ms only. Then every REGULAR_MS. */
const EARLY_MS = [5, 15, 40, 90];
const REGULAR_MS = 200;

export interface MemoryWatch {
  /** Ends the sampling. Peak: the largest sum of the processes' own peaks. */
  stop(): { peakKiB: number; exceeded: boolean };
}

/**
 * @param onExceeded called once when the resident memory is above the limit: the kernel's limits count addresses, and
 *   per process; a child with shared memory or children of its own could pass them.
 */
export function watchMemory(pid: number, limitMiB: number, onExceeded: () => void): MemoryWatch {
  let peakKiB = 0;
  let exceeded = false;
  let samples = 0;
  let timer: NodeJS.Timeout;
  const started = performance.now();
  const sample = () => {
    const { peak, resident } = familyMemory(pid);
    peakKiB = Math.max(peakKiB, peak);
    if (!exceeded && resident > limitMiB * 1024) {
      exceeded = true;
      onExceeded();
    }
    schedule();
  };
  const schedule = () => {
    const early = EARLY_MS[samples++];
    timer = setTimeout(sample, early === undefined ? REGULAR_MS : Math.max(0, early - (performance.now() - started)));
    timer.unref();
  };
  schedule();
  return {
    stop: () => {
      clearTimeout(timer);
      return { peakKiB, exceeded };
    },
  };
}

function familyMemory(pid: number): { peak: number; resident: number } {
  let peak = 0;
  let resident = 0;
  for (const one of familyOf(pid)) {
    const status = readProc(`/proc/${one}/status`);
    peak += kibibytes(status, 'VmHWM');
    resident += kibibytes(status, 'VmRSS');
  }
  return { peak, resident };
}

function kibibytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}
