/** A child and its descendants, as /proc tells of them; empty where there is none, or when they are gone. */
import { readdirSync, readFileSync } from 'node:fs';

/** Process ids, the child's own first. Children of first threads only: neither bubblewrap nor a decoder forks from another one. */
export function familyOf(pid: number): number[] {
  const family: number[] = [];
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    family.push(next);
    waiting.push(...readProc(`/proc/${next}/task/${next}/children`).split(' ').filter(Boolean).map(Number));
  }
  return family;
}

/** Empty when the process is gone, as it may be at any time. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** proc(5): ticks of 1/100 s on every Linux that Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** Seconds that those who live have had a processor for, all threads together. */
export function processorSeconds(pid: number): number {
  const ticks = familyOf(pid).map((one) => {
    // utime and stime: fields 14 and 15; the state is the third.
    const [user, system] = fieldsOf(readProc(`/proc/${one}/stat`)).slice(11, 13);
    return Number(user ?? 0) + Number(system ?? 0);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}

/** Whether any thread runs, would run if it were given a processor, or waits for a disk. */
export function wantsToRun(pid: number): boolean {
  return familyOf(pid).some((one) =>
    threadsOf(one).some((thread) => /^[RD]$/.test(fieldsOf(readProc(`/proc/${one}/task/${thread}/stat`))[0] ?? '')),
  );
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** From the state on: the name before it may hold anything. */
const fieldsOf = (stat: string): string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ');
