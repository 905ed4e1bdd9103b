/** Starts and stops the stack of this folder from another process than its own. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../config/index.js';
import { isAlive, readState, runningState, stateDirOf, type StackState } from '../../local/state.js';
import { supervisorLog } from '../../local/supervisor.js';

const BIN = fileURLToPath(new URL('../../../bin/mediamill.mjs', import.meta.url));

/** The stack of this folder, when its supervisor lives. */
export const runningStack = (): StackState | undefined => runningState(stateDirOf(loadConfig()));

/**
 * Brings everything up in the background and waits until it is ready. Progress goes to standard error.
 *
 * @throws Error with the reason when it did not start.
 */
export async function ensureUp(options: { bare?: boolean } = {}): Promise<{ startedHere: boolean; state: StackState }> {
  const dir = stateDirOf(loadConfig());
  const running = runningStack();
  if (running && running.phase !== 'stopping') {
    return { startedHere: false, state: await untilReady(dir, () => !isAlive(running)) };
  }
  if (running) await untilGone(running);

  const log = supervisorLog(dir);
  const from = await stat(log).then(
    ({ size }) => size,
    () => 0,
  );
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  const file = openSync(log, 'a');
  const child = spawn(process.execPath, [BIN, 'up', ...(options.bare ? ['--servers-only'] : [])], {
    detached: true,
    stdio: ['ignore', file, file],
  });
  closeSync(file);
  let ended = false;
  child.once('exit', () => (ended = true));
  child.once('error', () => (ended = true));
  child.unref();
  const state = await untilReady(dir, () => ended, follow(log, from));
  return { startedHere: state.supervisor.pid === child.pid, state };
}

/** @param ended whether the process that we started has ended: then only another one's stack can become ready. */
async function untilReady(
  dir: string,
  ended: () => boolean,
  onTick: () => Promise<void> = async () => undefined,
): Promise<StackState> {
  for (;;) {
    const over = ended();
    await onTick();
    const state = readState(dir);
    const alive = state !== undefined && isAlive(state);
    if (alive && state.phase === 'ready') return state;
    if (over && !alive) throw new Error(state?.error ?? `the stack did not start (${supervisorLog(dir)})`);
    await sleep(150);
  }
}

/** Prints what is added to a log. */
function follow(log: string, from: number): () => Promise<void> {
  let position = from;
  return async () => {
    const file = await open(log, 'r');
    try {
      const { size } = await file.stat();
      if (size <= position) return;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - position), 0, size - position, position);
      position += bytesRead;
      process.stderr.write(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  };
}

/** Ends the stack of this folder in order. Returns false when none ran. */
export async function down(): Promise<boolean> {
  const state = runningStack();
  if (!state) return false;
  process.kill(state.supervisor.pid, 'SIGTERM');
  await untilGone(state);
  return true;
}

async function untilGone(state: StackState): Promise<void> {
  while (isAlive(state)) await sleep(100);
}
