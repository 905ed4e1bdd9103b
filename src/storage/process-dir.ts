/** Folders that belong to one process each, so that those of dead processes can be told from living ones. */
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** `w-<pid namespace>-<pid>-<start time>-<random>`. A pid alone comes back after a while, in a container at once. */
const NAME = /^w-(\d+)-(\d+)-(\d+)-\w+$/;
/** Whether a process of another container lives can't be known from here; nobody works that long. */
const FOREIGN_AGE_MS = 7 * 24 * 3600 * 1000;

/** Clock ticks between boot and the start of a process, 0 where the system has no /proc; undefined when there is no such process. */
async function startTime(pid: number): Promise<number | undefined> {
  try {
    const fields = await readFile(`/proc/${pid}/stat`, 'utf8');
    // proc(5): field 22. Field 2, the name in parentheses, may itself hold spaces and parentheses.
    return Number(fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    if (process.platform === 'linux') return undefined;
    try {
      process.kill(pid, 0);
      return 0;
    } catch {
      return undefined;
    }
  }
}

/** The inode of `pid:[4026531836]`; 0 where the system has no such thing. */
async function pidNamespace(): Promise<number> {
  const link = await readlink('/proc/self/ns/pid').catch(() => '');
  return Number(/\d+/.exec(link)?.[0] ?? 0);
}

async function isAbandoned(root: string, name: string, ownNamespace: number): Promise<boolean> {
  const [, namespace, pid, started] = NAME.exec(name)!;
  if (Number(namespace) === ownNamespace) return (await startTime(Number(pid))) !== Number(started);
  const { mtimeMs } = await stat(join(root, name));
  return Date.now() - mtimeMs > FOREIGN_AGE_MS;
}

/** Removes the folders of processes that are no more. Safe while other processes do the same. @returns their names */
export async function sweep(root: string): Promise<string[]> {
  const namespace = await pidNamespace();
  const swept: string[] = [];
  for (const name of (await readdir(root)).filter((entry) => NAME.test(entry))) {
    try {
      if (!(await isAbandoned(root, name, namespace))) continue;
      await rm(join(root, name), { recursive: true, force: true });
      swept.push(name);
    } catch (error) {
      // Another process has swept it in between.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return swept;
}

/** Makes (0700) and returns a new folder of this process. */
export async function ownDir(root: string): Promise<string> {
  return mkdtemp(join(root, `w-${await pidNamespace()}-${process.pid}-${(await startTime(process.pid)) ?? 0}-`));
}
