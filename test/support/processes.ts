/** What runs on this machine, read from /proc: for tests about processes that must be gone. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** State and parent of a process; undefined when there is none. A zombie counts as gone. */
function stat(pid: number): { parent: number; name: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    return { parent: Number(parent), name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')) };
  } catch {
    return undefined;
  }
}

export const isAlive = (pid: number): boolean => stat(pid) !== undefined;

/** All processes below `pid`, with their names. */
export function descendants(pid: number): { pid: number; name: string }[] {
  const all = readdirSync('/proc')
    .map(Number)
    .filter((candidate) => candidate > 0)
    .flatMap((candidate) => {
      const found = stat(candidate);
      return found ? [{ pid: candidate, ...found }] : [];
    });
  const below = (parent: number): typeof all =>
    all.filter((p) => p.parent === parent).flatMap((p) => [p, ...below(p.pid)]);
  return below(pid).map(({ pid: id, name }) => ({ pid: id, name }));
}

/** Waits until `holds` or fails with `what` after `ms`. Returns the milliseconds that it took. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms: number): Promise<number> {
  const started = Date.now();
  while (!(await holds())) {
    if (Date.now() - started > ms) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(50);
  }
  return Date.now() - started;
}
