import type { Command } from 'commander';
import { loadConfig, type Config } from '../../config/index.js';
import { merge } from '../../local/addresses.js';
import { reachable, type ServerName } from '../../local/servers/types.js';
import { stateDirOf, type Phase, type StackState } from '../../local/state.js';
import { httpUrl } from './play-url.js';
import { runningStack } from './stack-control.js';

export interface Status {
  readonly running: boolean;
  readonly phase: Phase;
  readonly pid: number | null;
  readonly startedAt: string | null;
  readonly stateDir: string;
  readonly addresses: {
    readonly temporal: string;
    readonly temporalUi: string;
    readonly kafka: string;
    readonly minio: string;
    /** Null for a store that is not ours. */
    readonly minioConsole: string | null;
    readonly postgres: string;
    /** Of our own HTTP server. */
    readonly http: string;
    /** host:port of our own gRPC server. */
    readonly grpc: string;
    readonly codec: string;
  };
  /** Servers whose address was given by configuration. */
  readonly given: readonly ServerName[];
  readonly processes: StackState['processes'];
}

export function statusOf(base: Config, state: StackState | undefined): Status {
  const config = merge(base, state?.addresses ?? {});
  const database = new URL(config.catalogue.url);
  database.password = '';
  database.searchParams.delete('password');
  const ours = state?.servers ?? [];
  const console = state?.ports && ours.includes('minio') ? state.ports.minioConsole : undefined;
  return {
    running: state !== undefined,
    phase: state?.phase ?? 'stopped',
    pid: state?.supervisor.pid ?? null,
    startedAt: state?.startedAt ?? null,
    stateDir: stateDirOf(base),
    addresses: {
      temporal: config.temporal.address,
      temporalUi: config.temporal.uiUrl,
      kafka: config.kafka.brokers.join(','),
      minio: config.storage.endpoint,
      minioConsole: console === undefined ? null : `http://${reachable(base.local.bindHost)}:${console}`,
      postgres: database.href,
      http: httpUrl(config),
      grpc: `${reachable(config.grpc.host)}:${config.grpc.port}`,
      codec: `http://${reachable(config.codec.host)}:${config.codec.port}`,
    },
    given: state ? (['temporal', 'kafka', 'minio', 'postgres'] as const).filter((name) => !ours.includes(name)) : [],
    processes: state?.processes ?? [],
  };
}

/** What our own processes are called. */
const OURS: Readonly<Record<string, [title: string, address?: (addresses: Status['addresses']) => string]>> = {
  workers: ['Workers'],
  http: ['HTTP server', ({ http }) => http],
  grpc: ['gRPC server', ({ grpc }) => grpc],
  starter: ['Kafka starter'],
  codec: ['Codec server', ({ codec }) => codec],
};

export function describeStatus(status: Status): string {
  if (!status.running) return `not running (state in ${status.stateDir}); \`mediamill up\` starts it`;
  const process = (name: string): string => {
    if (status.given.some((given) => given === name)) return 'not ours';
    const found = status.processes.find((one) => one.name === name);
    if (!found) return '';
    const restarts = found.restarts > 0 ? `, restarted ${found.restarts} times` : '';
    return found.pid === null ? `down${restarts}` : `process ${found.pid}${restarts}`;
  };
  const { addresses } = status;
  const rows: [string, string, string][] = [
    ['Temporal', addresses.temporal, process('temporal')],
    ['Temporal Web UI', addresses.temporalUi, ''],
    ['Kafka', addresses.kafka, process('kafka')],
    ['MinIO', addresses.minio, process('minio')],
    ...(addresses.minioConsole ? [['MinIO console', addresses.minioConsole, ''] as [string, string, string]] : []),
    ['PostgreSQL', addresses.postgres, process('postgres')],
    ...status.processes.flatMap(({ name }): [string, string, string][] => {
      const [title, address] = OURS[name] ?? [];
      return title === undefined ? [] : [[title, address?.(addresses) ?? '', process(name)]];
    }),
  ];
  const width = Math.max(...rows.map(([, address]) => address.length));
  return [
    `${status.phase} since ${status.startedAt} (process ${status.pid})`,
    ...rows.map(([name, address, note]) => `  ${name.padEnd(16)} ${address.padEnd(width)}  ${note}`.trimEnd()),
  ].join('\n');
}

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('addresses and processes of the stack of this folder; exit code 1 when it does not run')
    .option('--json', 'as one JSON object')
    .action(({ json = false }: { json?: boolean }) => {
      const status = statusOf(loadConfig(), runningStack());
      console.log(json ? JSON.stringify(status, null, 2) : describeStatus(status));
      if (status.phase !== 'ready') process.exitCode = 1;
    });
}
