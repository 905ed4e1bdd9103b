/** Finds the image process that works on a certain file, and strikes it. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { descendants } from './processes.js';

export interface Hunt {
  /** Processes that were struck. */
  readonly struck: readonly number[];
  stop(): void;
}

const EVERY_MS = 5;
const SOURCE = 'source';

/**
 * Strikes each image process of a worker as soon as it has begun to write variants of the file.
 *
 * @param scratch of the worker
 * @param bytes by its length the file is known
 * @param times 1: only the first that works on it
 */
export function hunt(worker: number, scratch: string, bytes: number, signal: NodeJS.Signals, times = Infinity): Hunt {
  const struck: number[] = [];
  let last = 0;
  const look = (): void => {
    for (const slot of slotsWith(scratch, bytes)) {
      // What an earlier one has left is no sign that this one has begun.
      if (newestOutput(slot) <= last) continue;
      const pid = processIn(worker, slot);
      if (pid === undefined || struck.includes(pid) || struck.length >= times) continue;
      struck.push(pid);
      last = Date.now();
      process.kill(pid, signal);
    }
  };
  const timer = setInterval(() => {
    try {
      look();
    } catch (error) {
      // Folders and processes go while they are looked at.
      if (!['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }, EVERY_MS);
  return { struck, stop: () => clearInterval(timer) };
}

/** `<scratch>/.../slot-*` that hold a file of so many bytes. */
function slotsWith(scratch: string, bytes: number): string[] {
  return readdirSync(scratch, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith('slot-'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((slot) => existsSync(join(slot, SOURCE)) && statSync(join(slot, SOURCE)).size === bytes);
}

/** Milliseconds since the epoch; 0: there is none. */
const newestOutput = (slot: string): number =>
  readdirSync(slot)
    .filter((name) => name !== SOURCE)
    .reduce((newest, name) => Math.max(newest, statSync(join(slot, name)).mtimeMs), 0);

/** The one that has the folder as its own: mounted into its sandbox, or as its current one. */
function processIn(worker: number, slot: string): number | undefined {
  return descendants(worker).find(({ pid, name }) => name === 'node' && worksIn(pid, slot))?.pid;
}

function worksIn(pid: number, slot: string): boolean {
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
  return mounts.includes(`${slot} /scratch `) || readlinkSync(`/proc/${pid}/cwd`) === slot;
}
