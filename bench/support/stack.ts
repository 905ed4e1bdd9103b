/** A stack of its own for one measurement: free ports, a temporary folder, our processes from `dist`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadConfig } from '../../src/config/index.js';
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
export async function withBenchServers(use: (servers: BenchServers) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-bench-'));
  const say = printProgress((line) => console.error(`[stack] ${line}`));
  const config = loadConfig({ overrides: { scratch: { dir: join(dir, 'scratch') } } });
  const stack = await startStack({ config, stateDir: join(dir, 'state'), ports: 'free', progress: say });
  try {
    await use({ config: stack.config, dir });
  } finally {
    await stack.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Servers, workers and the starter. */
export async function withBenchStack(use: (stack: BenchStack) => Promise<void>): Promise<void> {
  await withBenchServers(async (servers) => {
    const own: OwnProcess[] = [];
    try {
      const worker = await startProcess('workers/all.js', servers.config, 'worker ready');
      own.push(worker);
      const starter = await startProcess('starters/kafka/main.js', servers.config, 'starter ready');
      own.push(starter);
      await use({ ...servers, worker, starter });
    } finally {
      for (const one of own) one.kill('SIGTERM');
      await Promise.all(own.map(({ exited }) => exited));
    }
  });
}
