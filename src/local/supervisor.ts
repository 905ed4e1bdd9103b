/** `mediamill up`: servers and services of one machine, from start to orderly end. */
import { join } from 'node:path';
import type { Config, ConfigOverrides } from '../config/index.js';
import { givenServers } from './addresses.js';
import type { Progress } from './progress.js';
import { SERVER_NAMES, type ServerName } from './servers/types.js';
import { writeTargets } from './metrics-targets.js';
import { restartDelay, Service, servicePlans, type ServicePlan } from './services.js';
import { Stack } from './stack.js';
import { claim, startTimeOf, stateDirOf, writeState, type Phase, type StackState } from './state.js';

export interface SuperviseOptions {
  /** Servers only: no workers and no starter. */
  readonly bare?: boolean;
  readonly progress: Progress;
  /** Aborted: everything is taken down in order. */
  readonly signal: AbortSignal;
  readonly onReady?: (state: StackState) => void;
}

/** Resolves after an orderly end. @throws AlreadyRunning, or the reason why something did not start. */
export async function supervise(config: Config, options: SuperviseOptions): Promise<void> {
  const dir = stateDirOf(config);
  const given = givenServers(config);
  const servers = SERVER_NAMES.filter((name) => !given.includes(name));
  let state: StackState = {
    phase: 'starting',
    supervisor: { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' },
    startedAt: new Date().toISOString(),
    servers,
    ports: null,
    addresses: {},
    processes: [],
  };
  const last = await claim(dir, (previous) => (state = { ...state, ports: previous?.ports ?? null }));
  const supervisor = new Supervisor(config, dir, servers, given, state, options);
  await supervisor.run(last);
}

class Supervisor {
  private stack: Stack | undefined;
  private services: Service[] = [];
  private writing: Promise<void> = Promise.resolve();
  private readonly serverRestarts = new Map<ServerName, number>();

  constructor(
    private readonly config: Config,
    private readonly dir: string,
    private readonly servers: readonly ServerName[],
    private readonly given: readonly ServerName[],
    private state: StackState,
    private readonly options: SuperviseOptions,
  ) {}

  async run(last: StackState | undefined): Promise<void> {
    const { signal, progress } = this.options;
    let failure: Error | undefined;
    try {
      const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      await Promise.race([this.bringUp(last), stopped]);
      if (!signal.aborted) {
        await this.update({ phase: 'ready' });
        this.options.onReady?.(this.state);
        await stopped;
      }
    } catch (error) {
      failure = error as Error;
    }
    await this.update({ phase: 'stopping' });
    progress.say('stopping');
    await this.takeDown();
    const phase: Phase = failure ? 'failed' : 'stopped';
    await this.update({ phase, error: failure?.message });
    if (failure) throw failure;
  }

  private async bringUp(last: StackState | undefined): Promise<void> {
    const { config, dir, servers, given, options } = this;
    const { progress, signal } = options;
    const remembered = last?.ports ?? undefined;
    const stack = await Stack.prepare({
      config,
      stateDir: dir,
      servers,
      given,
      ...(remembered && { ports: remembered }),
      progress,
    });
    if (signal.aborted) return;
    this.stack = stack;
    await this.update({ ports: stack.ports, addresses: addressesOf(stack.config) });
    stack.onExit((name) => this.reviveLater(stack, name));
    await stack.start();
    if (options.bare || signal.aborted) return;
    const events = { onChange: () => void this.update({}), say: (text: string) => progress.say(text) };
    const plans = servicePlans(config);
    const env = ({ metricsPort }: ServicePlan) => ({ ...stack.env, METRICS_PORT: String(stack.ports[metricsPort]) });
    this.services = plans.map((plan) => new Service(plan, env(plan), stack.logFile(plan.name), events));
    await writeTargets(dir, plans, stack);
    await Promise.all(this.services.map((service) => service.start()));
  }

  /** Services first, the one that starts work before those that do it; then the servers. */
  private async takeDown(): Promise<void> {
    for (const service of [...this.services].reverse()) await service.stop();
    await this.stack?.stop();
  }

  private reviveLater(stack: Stack, name: ServerName): void {
    const { signal, progress } = this.options;
    if (signal.aborted || this.state.phase !== 'ready') return;
    const restarts = (this.serverRestarts.get(name) ?? 0) + 1;
    this.serverRestarts.set(name, restarts);
    const delay = restartDelay(restarts);
    progress.say(`${name} ended; next try in ${delay / 1000} s (${stack.logFile(name)})`);
    void this.update({});
    setTimeout(() => {
      if (signal.aborted) return;
      stack.startServer(name).then(
        () => this.update({}),
        (error: Error) => {
          progress.say(error.message);
          this.reviveLater(stack, name);
        },
      );
    }, delay);
  }

  /** One write after the other; each tells of the processes as they are then. */
  private update(change: Partial<StackState>): Promise<void> {
    this.state = { ...this.state, ...change };
    this.writing = this.writing.then(() => {
      this.state = { ...this.state, processes: this.processes() };
      return writeState(this.dir, this.state);
    });
    return this.writing;
  }

  private processes(): StackState['processes'] {
    const pids = this.stack?.pids ?? {};
    return [
      ...this.servers.map((name) => ({ name, pid: pids[name] ?? null, restarts: this.serverRestarts.get(name) ?? 0 })),
      ...this.services.map(({ plan, pid, restarts }) => ({ name: plan.name, pid, restarts })),
    ];
  }
}

/** Where everything is; credentials are the commands' own to know. */
export function addressesOf(config: Config): ConfigOverrides {
  return {
    temporal: { address: config.temporal.address, namespace: config.temporal.namespace, uiUrl: config.temporal.uiUrl },
    kafka: { brokers: config.kafka.brokers, tls: config.kafka.tls, saslMechanism: config.kafka.saslMechanism },
    storage: { endpoint: config.storage.endpoint },
    catalogue: { url: config.catalogue.url },
    http: { host: config.http.host, port: config.http.port },
    grpc: { host: config.grpc.host, port: config.grpc.port },
    codec: { host: config.codec.host, port: config.codec.port },
  };
}

export const supervisorLog = (dir: string): string => join(dir, 'logs', 'supervisor.log');
