/** Our own processes, started from `dist` as in production. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { configEnv } from '../../src/config/index.js';
import type { Config } from '../../src/config/schema.js';
import { until } from './processes.js';

export interface OwnProcess {
  readonly pid: number;
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** JSON log lines so far. */
  readonly log: readonly string[];
  kill(signal: NodeJS.Signals): void;
}

/**
 * @param entry below `dist`, e.g. `workers/video.js`. Resolves when the process has logged `ready`.
 * @param through a command that becomes the process, e.g. `taskset -c 0`
 */
export async function startProcess(
  entry: string,
  config: Config,
  ready: string,
  through: readonly string[] = [],
): Promise<OwnProcess> {
  const script = fileURLToPath(new URL(`../../dist/${entry}`, import.meta.url));
  const [command, ...args] = [...through, process.execPath, script];
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...configEnv(config) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => log.push(...text.split('\n').filter(Boolean)));
  }
  const exited = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal ?? -1)),
  );
  let ended = false;
  void exited.then(() => (ended = true));
  const up = until(
    `${entry} says "${ready}"\n${log.join('\n')}`,
    () => {
      if (ended) throw new Error(`${entry} ended before it was ready:\n${log.join('\n')}`);
      return log.some((line) => line.includes(ready));
    },
    90_000,
  );
  await up.catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return { pid: child.pid!, exited, log, kill: (signal) => void child.kill(signal) };
}
