/** Starts sandboxed children and owns them until they have ended. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { ChildEnd, ChildSpec, SandboxedChild, SpawnSandboxed } from './child.js';
import { watchMemory } from './memory.js';
import { type Host, isBubblewrap, sandboxedCommand } from './sandbox.js';
import { giveToSandbox } from './scratch-owner.js';
import { locate, programFolders } from './locate.js';

/** From TERM to KILL. */
const STOP_MS = 2000;

/** Process groups that live. The kernel ends them with us (pdeathsig); this covers hosts that can't do that. */
const groups = new Set<number>();
process.on('exit', () => groups.forEach((group) => signalGroup(group, 'SIGKILL')));

/** A starter of children for this host. @throws Error when the program is not installed. */
export function createSpawner(host: Host): SpawnSandboxed {
  return (spec) => {
    const command = locate(spec.command);
    const readOnlyPaths = [...programFolders(command), ...(spec.readOnlyPaths ?? [])];
    const missing = readOnlyPaths.find((path) => !existsSync(path));
    if (missing !== undefined) throw new Error(`${missing} does not exist`);
    const readOnlyFiles = spec.readOnlyFiles ?? [];
    if (host.means === 'unshare') giveToSandbox(spec.scratch, readOnlyFiles);
    const { file, args, cwd, env } = sandboxedCommand(host, {
      command,
      args: spec.args,
      scratch: spec.scratch,
      readOnlyFiles,
      limits: spec.limits,
      memory: spec.memory ?? 'address-space',
      readOnlyPaths,
      env: spec.env ?? {},
      niceness: spec.niceness ?? 0,
    });
    // detached: a process group (and session) of its own, so that a signal reaches every descendant and Ctrl-C none.
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    if (child.pid !== undefined && spec.niceness) lowerSession(child.pid, spec.niceness);
    return own(host, spec, child);
  };
}

/**
 * Linux with autogroups: "the nice value has an effect only for scheduling relative to other processes in
 * the same session" (sched(7)), and every child has a session of its own. Best effort: kernels without
 * autogroups and containers (a control group of their own) lack the file or heed the nice value itself.
 */
function lowerSession(pid: number, niceness: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(Math.min(19, niceness)));
  } catch {
    // The child may also have ended already.
  }
}

function own(host: Host, spec: ChildSpec, child: ChildProcessWithoutNullStreams): SandboxedChild {
  const group = child.pid;
  let timer: NodeJS.Timeout | undefined;
  let spawnError: Error | undefined;
  const signal = (name: NodeJS.Signals) => {
    if (group !== undefined && groups.has(group)) signalGroup(group, name);
  };
  const memory = group === undefined ? undefined : watchMemory(group, spec.limits.memoryMiB, () => signal('SIGKILL'));
  if (group !== undefined) groups.add(group);

  // A child that ends early closes its end of the pipe; what it died of is told by `closed`.
  child.stdin.on('error', () => undefined);
  child.on('error', (error) => (spawnError = error));
  // What the leader leaves behind goes with it, or it would hold the pipes open.
  child.on('exit', () => signal('SIGKILL'));
  const closed = new Promise<ChildEnd>((resolve) => {
    child.on('close', (code, name) => {
      clearTimeout(timer);
      if (group !== undefined) groups.delete(group);
      const seen = memory?.stop();
      resolve({
        ...translateEnd(host, code, name),
        peakMemoryKiB: seen?.peakKiB ?? 0,
        overMemory: seen?.exceeded ?? false,
        spawnError,
      });
    });
  });
  return {
    process: child,
    closed,
    stop: () => {
      signal('SIGTERM');
      timer ??= setTimeout(() => signal('SIGKILL'), STOP_MS);
      return closed;
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    kill: () => {
      signal('SIGKILL');
      return closed;
    },
  };
}

function signalGroup(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]),
);

/** bubblewrap's monitor reports that its command died of signal n by exiting with 128 + n, as shells do. */
export function translateEnd(
  host: Pick<Host, 'means'>,
  code: number | null,
  signal: NodeJS.Signals | null,
): Pick<ChildEnd, 'exitCode' | 'signal'> {
  const reported = isBubblewrap(host.means) && code !== null && code > 128 ? SIGNAL_NAMES.get(code - 128) : undefined;
  return reported === undefined ? { exitCode: code, signal } : { exitCode: null, signal: reported };
}
