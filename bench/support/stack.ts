/** A stack of its own for one measurement: free ports, a temporary folder, our processes from `dist`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadConfig, type ConfigOverrides } from '../../src/config/index.js';
import type { Config } from '../../src/config/schema.js';
import { printProgress } from '../../src/local/progress.js';
import { startStack } from '../../src/local/stack.js';
import { startProcess, type OwnProcess } from '../../test/support/worker.js';

export interface BenchServers {
  readonly config: Config;
  /** Folder for the measurement's own files. */
  readonly dir: string;
}

export interface BenchStack extends BenchServers {
  /** All workers in one process. */
  readonly worker: OwnProcess;
  readonly starter: OwnProcess;
}

/** The servers alone. */
export async function withBenchServers(
  use: (servers: BenchServers) => Promise<void>,
  overrides: ConfigOverrides = {},
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-bench-'));
  const say = printProgress((line) => console.error(`[stack] ${line}`));
  const scratch = { dir: join(dir, 'scratch'), ...overrides.scratch };
  const config = loadConfig({ overrides: { ...overrides, scratch } });
  const stack = await startStack({ config, stateDir: join(dir, 'state'), ports: 'free', progress: say });
  try {
    await use({ config: stack.config, dir });
  } finally {
    await stack.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Processes that end with the measurement, however it ends. */
export async function withProcesses(
  use: (start: (entry: string, config: Config, through?: readonly string[]) => Promise<OwnProcess>) => Promise<void>,
): Promise<void> {
  const own: OwnProcess[] = [];
  try {
    await use(async (entry, config, through) => {
      const one = await startProcess(entry, config, READY[entry.split('/')[0]!] ?? 'ready', through);
      own.push(one);
      return one;
    });
  } finally {
    for (const one of own) one.kill('SIGTERM');
    await Promise.all(own.map(({ exited }) => exited));
  }
}

/** What each says when it is up, by its room. */
const READY: Readonly<Record<string, string>> = { workers: 'worker ready', starters: 'ready' };

/** Servers, workers and the starter. */
export async function withBenchStack(
  use: (stack: BenchStack) => Promise<void>,
  overrides: ConfigOverrides = {},
): Promise<void> {
  await withBenchServers(
    (servers) =>
      withProcesses(async (start) => {
        const worker = await start('workers/all.js', servers.config);
        const starter = await start('starters/kafka/main.js', servers.config);
        await use({ ...servers, worker, starter });
      }),
    overrides,
  );
}

/** The same with the HTTP server. @param use also told under which URL it listens */
export const withPlayStack = (use: (stack: BenchStack & { readonly base: string }) => Promise<void>): Promise<void> =>
  withBenchStack((stack) =>
    withProcesses(async (start) => {
      const { host, port } = stack.config.http;
      await start('starters/http/main.js', stack.config);
      await use({ ...stack, base: `http://${host}:${port}` });
    }),
  );
