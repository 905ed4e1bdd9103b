/** Brings up the real servers on one machine, and takes them down again. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { configEnv, type Config } from '../config/index.js';
import { stackConfig } from './addresses.js';
import { ensureServers, type ServerPaths } from './build.js';
import { ensureSearchAttributes } from './init.js';
import { prepareKafka } from './kafka-data.js';
import { choosePorts } from './ports.js';
import { preparePostgres } from './postgres-data.js';
import { prepareCatalogue, prepareKafkaTopics, prepareStore } from './prepare.js';
import { silent, type Progress } from './progress.js';
import { minioReady, poll, portOpen, postgresReady, temporalReady } from './ready.js';
import { orphanProof, ServerProcess } from './server-process.js';
import { kafkaLaunch } from './servers/kafka.js';
import { minioLaunch } from './servers/minio.js';
import { disguised, postgresLaunch } from './servers/postgres.js';
import { temporalLaunch } from './servers/temporal.js';
import { DEFAULT_PORTS, SERVER_NAMES, type Launch, type Ports, type ServerName } from './servers/types.js';

export interface StackOptions {
  /** What to start from; the addresses of our servers are put into it. */
  readonly config: Config;
  /** Absolute. Data of the servers and their logs; made when it is not there. */
  readonly stateDir: string;
  /** Default: all four. */
  readonly servers?: readonly ServerName[];
  /** Servers of others, at the addresses of `config`: prepared as ours are, neither started nor stopped. Default: none. */
  readonly given?: readonly ServerName[];
  /** Ports to use where they are free. Default: the servers' usual ones; `free`: none is preferred. */
  readonly ports?: Partial<Ports> | 'free';
  /** More topics than the configured three. */
  readonly topics?: readonly string[];
  readonly progress?: Progress;
}

/** Seconds for one server to become ready: a loaded laptop's cold start with room. */
const START_TIMEOUT_MS = 90_000;

export async function startStack(options: StackOptions): Promise<Stack> {
  const stack = await Stack.prepare(options);
  try {
    await stack.start();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return stack;
}

export class Stack {
  private readonly running = new Map<ServerName, ServerProcess>();
  private readonly exitListeners: ((name: ServerName) => void)[] = [];

  private constructor(
    /** Addresses of everything, ours and given. */
    readonly config: Config,
    readonly ports: Ports,
    readonly servers: readonly ServerName[],
    private readonly given: readonly ServerName[],
    readonly stateDir: string,
    private readonly paths: Partial<ServerPaths>,
    private readonly topics: readonly string[],
    private readonly progress: Progress,
  ) {}

  /** Finds or builds the servers and chooses ports; starts nothing. */
  static async prepare(options: StackOptions): Promise<Stack> {
    const { config, stateDir, servers = SERVER_NAMES, progress = silent } = options;
    const paths = await ensureServers(servers, config.local, progress);
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    const preferred = options.ports === 'free' ? {} : { ...DEFAULT_PORTS, ...options.ports, ...portsGiven(config) };
    const ports = await choosePorts(preferred, config.local.bindHost);
    const addressed = stackConfig(config, servers, ports, config.local.bindHost);
    return new Stack(addressed, ports, servers, options.given ?? [], stateDir, paths, options.topics ?? [], progress);
  }

  /** For processes of ours: every setting, so that no file and no other variable changes it. */
  get env(): Record<string, string> {
    return configEnv(this.config);
  }

  get pids(): Partial<Record<ServerName, number>> {
    const alive = [...this.running].filter(([, server]) => server.running && server.pid !== undefined);
    return Object.fromEntries(alive.map(([name, server]) => [name, server.pid!]));
  }

  logFile(name: string): string {
    return join(this.stateDir, 'logs', `${name}.log`);
  }

  /** Hears of a server that ended without having been stopped. */
  onExit(listener: (name: ServerName) => void): void {
    this.exitListeners.push(listener);
  }

  /** All at once; resolves when all of them are ready and topics, buckets and tables are there. */
  async start(): Promise<void> {
    const outcomes = await Promise.allSettled(this.servers.map((name) => this.startServer(name)));
    const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
    if (failed.length > 0) throw new Error(failed.map(({ message }) => message).join('\n'), { cause: failed[0] });
    await this.prepareGiven();
  }

  /** Same ports, same state as before. Resolves when it is ready. */
  async startServer(name: ServerName): Promise<void> {
    if (this.running.get(name)?.running) return;
    const started = Date.now();
    const dir = join(this.stateDir, name);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const { command, ready } = await this.commandOf(name, dir);
    const server = new ServerProcess(name, command, command.stopSignal, this.logFile(name));
    this.running.set(name, server);
    void server.exited.then(() => {
      if (this.running.get(name) !== server) return;
      this.running.delete(name);
      for (const listener of this.exitListeners) listener(name);
    });
    await server.untilReady((signal) => poll(() => ready(server), signal), START_TIMEOUT_MS);
    this.progress.say(`${name} is ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }

  /** @param signal default: the server's own for an orderly end; SIGKILL for a crash. */
  async stopServer(name: ServerName, signal?: NodeJS.Signals): Promise<void> {
    const server = this.running.get(name);
    // Taken out first: an end that we asked for is no news to the listeners.
    this.running.delete(name);
    await server?.stop(15_000, signal);
  }

  /** Leaves no process behind. State stays in the state folder. */
  async stop(): Promise<void> {
    await Promise.all(SERVER_NAMES.map((name) => this.stopServer(name)));
  }

  /** Servers of others get our search attributes, topics, buckets and tables too; notifications are their owner's to set. */
  private async prepareGiven(): Promise<void> {
    const { given } = this;
    if (given.includes('temporal')) await ensureSearchAttributes(this.config.temporal);
    if (given.includes('kafka')) await prepareKafkaTopics(this.config, this.topics);
    if (given.includes('minio')) await prepareStore(this.config, { announce: false });
    if (given.includes('postgres')) await prepareCatalogue(this.config);
  }

  private pathOf(name: ServerName): string {
    const path = this.paths[name];
    if (path === undefined) throw new Error(`${name} is not part of this stack`);
    return path;
  }

  private async commandOf(
    name: ServerName,
    dir: string,
  ): Promise<{ command: Launch; ready: (server: ServerProcess) => Promise<void> }> {
    const { config, ports } = this;
    const host = config.local.bindHost;
    const path = this.pathOf(name);
    const guarded = (launch: Launch): Launch => ({ ...launch, ...orphanProof(launch) });
    switch (name) {
      case 'temporal':
        return {
          command: guarded(temporalLaunch(path, dir, ports, host, config.temporal)),
          ready: () => temporalReady(config.temporal.address, config.temporal.namespace),
        };
      case 'kafka': {
        const properties = await prepareKafka(path, dir, ports, host, config.kafka.partitions);
        return {
          command: guarded(kafkaLaunch(path, properties)),
          ready: async () => {
            await portOpen(config.kafka.brokers[0]!);
            await prepareKafkaTopics(config, this.topics);
          },
        };
      }
      case 'minio': {
        const { accessKey, secretKey, region } = config.storage;
        return {
          command: guarded(minioLaunch(path, dir, ports, host, { accessKey, secretKey, region, kafka: config.kafka })),
          ready: async () => {
            await minioReady(config.storage.endpoint);
            await prepareStore(config, { announce: true });
          },
        };
      }
      case 'postgres': {
        const home = await preparePostgres(path, dir, config.catalogue.url);
        const launch = postgresLaunch(home.bin, home.data, ports, host);
        return {
          command: { ...launch, ...disguised(home.disguise, ...spread(orphanProof(launch))) },
          ready: async (server) => {
            await postgresReady(home.data, server.pid);
            await prepareCatalogue(config);
          },
        };
      }
    }
  }
}

/** One that somebody asked for goes before the one that was free last time. */
const portsGiven = (config: Config): Partial<Ports> => {
  const ours = (['http', 'grpc', 'codec'] as const).map((name) => [name, config[name].port] as const);
  const given = ours.filter(([name, port]) => port !== 0 && port !== DEFAULT_PORTS[name]);
  return { ...Object.fromEntries(given), ...metricsPortsGiven(config) };
};

/** One setting, several processes on one machine: from that port on. */
const metricsPortsGiven = ({ metrics: { port } }: Config): Partial<Ports> => {
  const names = Object.keys(DEFAULT_PORTS).filter((name) => name.startsWith('metrics'));
  return port === 0 ? {} : Object.fromEntries(names.map((name, index) => [name, port + index]));
};

const spread = ({ command, args }: { command: string; args: readonly string[] }) => [command, args] as const;
