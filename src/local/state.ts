/** What a running `mediamill up` writes down for the other commands, and what the next one remembers. */
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import lockfile from 'proper-lockfile';
import type { Config, ConfigOverrides } from '../config/index.js';
import type { Ports, ServerName } from './servers/types.js';

export type Phase = 'starting' | 'ready' | 'stopping' | 'stopped' | 'failed';

export interface ProcessState {
  readonly name: string;
  readonly pid: number | null;
  readonly restarts: number;
}

export interface StackState {
  readonly phase: Phase;
  readonly supervisor: { readonly pid: number; readonly startTime: string };
  readonly startedAt: string;
  /** Servers that this stack runs; the others were given by configuration. */
  readonly servers: readonly ServerName[];
  readonly ports: Ports | null;
  /** Addresses of the servers, for commands that run beside. */
  readonly addresses: ConfigOverrides;
  readonly processes: readonly ProcessState[];
  readonly error?: string | undefined;
}

export function stateDirOf(config: Config): string {
  return resolve(config.local.dir || '.mediamill');
}

const stateFile = (dir: string): string => join(dir, 'stack.json');

export function readState(dir: string): StackState | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(dir), 'utf8')) as StackState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What its living supervisor wrote. */
export function runningState(dir: string): StackState | undefined {
  const state = readState(dir);
  return state && isAlive(state) ? state : undefined;
}

/** Whole or not at all: others read it at any time. */
export async function writeState(dir: string, state: StackState): Promise<void> {
  const fresh = `${stateFile(dir)}.${process.pid}`;
  await writeFile(fresh, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(fresh, stateFile(dir));
}

/** A process id comes back some day; together with its start time (field 22 of `/proc/<pid>/stat`) it does not. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name, in parentheses, may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function isAlive({ supervisor }: Pick<StackState, 'supervisor'>): boolean {
  return startTimeOf(supervisor.pid) === supervisor.startTime;
}

export class AlreadyRunning extends Error {
  constructor(readonly pid: number) {
    super(`already running (process ${pid})`);
  }
}

/** Makes this process the one supervisor of the folder. @returns what the last one left. @throws AlreadyRunning */
export async function claim(
  dir: string,
  make: (last: StackState | undefined) => StackState,
): Promise<StackState | undefined> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const release = await lockfile.lock(dir, { stale: 5000, retries: { retries: 100, factor: 1, minTimeout: 100 } });
  try {
    const last = readState(dir);
    if (last && isAlive(last)) throw new AlreadyRunning(last.supervisor.pid);
    await writeState(dir, make(last));
    return last;
  } finally {
    await release();
  }
}
