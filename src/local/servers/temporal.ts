import { join } from 'node:path';
import type { Config } from '../../config/schema.js';
import { SEARCH_ATTRIBUTES } from '../../contracts/names.js';
import { GO } from './requirements.js';
import type { Launch, Ports, ServerSource } from './types.js';

export const TEMPORAL_VERSION = 'v1.5.1';

export function temporalSource(configured: string): ServerSource {
  return {
    name: 'temporal',
    version: TEMPORAL_VERSION,
    configured,
    variable: 'TEMPORAL_BIN',
    onPath: 'temporal',
    fromPath: (command) => command,
    entry: 'temporal',
    runs: [],
    build: {
      requires: [GO],
      command: 'go',
      args: ['install', '-v', '-ldflags=-s -w', `github.com/temporalio/cli/cmd/temporal@${TEMPORAL_VERSION}`],
      env: { GOBIN: '{out}', CGO_ENABLED: '0' },
    },
  };
}

/** Dynamic configuration that makes one shard on one machine fast, and priorities real. */
export const TEMPORAL_SETTINGS: Readonly<Record<string, string>> = {
  // Default 20 per shard and second, and the dev server has one shard: every task waits for a 50 ms grid.
  'history.transferProcessorMaxPollRPS': '2000',
  // Priorities and fairness do nothing without these, and need one partition to be exact.
  'matching.useNewMatcher': 'true',
  'matching.enableFairness': 'true',
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
};

/**
 * A third less latency (three no-op activities: 66 -> 42 ms on 2 cores). What is committed survives kill -9 of
 * the server; only a crash of the whole machine may lose the last moments (sqlite.org/pragma.html#pragma_synchronous).
 */
const SQLITE = ['journal_mode=wal', 'synchronous=1'];

/** @param binary the Temporal CLI. @param dir state folder of this server. */
export function temporalLaunch(
  binary: string,
  dir: string,
  ports: Ports,
  bindHost: string,
  { namespace, encryptionKeys }: Pick<Config['temporal'], 'namespace' | 'encryptionKeys'>,
): Launch {
  return {
    command: binary,
    args: [
      'server',
      'start-dev',
      '--ip',
      bindHost,
      '--port',
      String(ports.temporal),
      '--ui-port',
      String(ports.temporalUi),
      '--namespace',
      namespace,
      '--db-filename',
      join(dir, 'temporal.db'),
      // Where the page has decrypted what workers encrypt.
      ...(encryptionKeys === '' ? [] : ['--ui-codec-endpoint', `http://127.0.0.1:${ports.codec}`]),
      '--log-level',
      'warn',
      ...SQLITE.flatMap((pragma) => ['--sqlite-pragma', pragma]),
      ...Object.entries(TEMPORAL_SETTINGS).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
      ...Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ],
    env: {},
    stopSignal: 'SIGTERM',
    orphanSignal: 'KILL',
  };
}
