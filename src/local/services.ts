/** Our own processes beside the servers: restarted when they fail, drained when they are stopped. */
import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/schema.js';
import type { Ports } from './servers/types.js';

export interface ServicePlan {
  readonly name: string;
  /** Module to run, relative to dist/. */
  readonly entry: string;
  /** After SIGTERM, how long it may drain before it is killed. Milliseconds. */
  readonly drainMs: number;
  /** Of its metrics. */
  readonly metricsPort: keyof Ports;
}

const CODEC: ServicePlan = {
  name: 'codec',
  entry: 'starters/codec/main.js',
  drainMs: 5_000,
  metricsPort: 'metricsCodec',
};

/** Stopped in the reverse order: first what starts work, then what does it. */
export function servicePlans({ workers, temporal }: Config): readonly ServicePlan[] {
  return [
    {
      name: 'workers',
      entry: 'workers/all.js',
      drainMs: (workers.forceSeconds + 5) * 1000,
      metricsPort: 'metricsWorkers',
    },
    { name: 'http', entry: 'starters/http/main.js', drainMs: 15_000, metricsPort: 'metricsHttp' },
    { name: 'grpc', entry: 'starters/grpc/main.js', drainMs: 15_000, metricsPort: 'metricsGrpc' },
    { name: 'starter', entry: 'starters/kafka/main.js', drainMs: 15_000, metricsPort: 'metricsStarter' },
    ...(temporal.encryptionKeys === '' ? [] : [CODEC]),
  ];
}

const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 30_000;
/** What has run for so long was not broken from the start: the delays begin anew. */
const STEADY = 60_000;

/** Milliseconds until the next try, after so many failures in a row. */
export const restartDelay = (failures: number): number => Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - 1));

export interface ServiceEvents {
  readonly onChange: () => void;
  readonly say: (text: string) => void;
}

export class Service {
  restarts = 0;
  private child: ChildProcess | undefined;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopping = false;
  private ended: Promise<void> = Promise.resolve();

  constructor(
    readonly plan: ServicePlan,
    private readonly env: Readonly<Record<string, string>>,
    private readonly logFile: string,
    private readonly events: ServiceEvents,
  ) {}

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Resolves when the service says `ready` (`process.send('ready')`); rejects when it ends before. */
  start(): Promise<void> {
    const started = Date.now();
    const child = this.launch();
    this.child = child;
    this.events.onChange();
    let end = (): void => undefined;
    this.ended = new Promise((resolve) => (end = resolve));
    return new Promise((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        this.child = undefined;
        end();
        this.events.onChange();
        const how = signal ?? `exit code ${code}`;
        reject(new Error(`${this.plan.name} ended with ${how} before it was ready (${this.logFile})`));
        if (!this.stopping && code !== 0) this.restartLater(how, Date.now() - started);
      });
    });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    this.child?.kill('SIGTERM');
    const timer = setTimeout(() => this.child?.kill('SIGKILL'), this.plan.drainMs);
    await this.ended;
    clearTimeout(timer);
  }

  private launch(): ChildProcess {
    mkdirSync(dirname(this.logFile), { recursive: true });
    const log = openSync(this.logFile, 'a');
    const entry = fileURLToPath(new URL(`../${this.plan.entry}`, import.meta.url));
    // Under `setpriv` it dies with us; what it runs dies with it in turn.
    const wrapped =
      process.platform === 'linux'
        ? { execPath: 'setpriv', execArgv: ['--pdeathsig', 'KILL', '--', process.execPath] }
        : {};
    try {
      return fork(entry, [], {
        ...wrapped,
        env: { ...process.env, ...this.env },
        stdio: ['ignore', log, log, 'ipc'],
        detached: true,
      });
    } finally {
      closeSync(log);
    }
  }

  private restartLater(how: string, ranMs: number): void {
    this.failures = ranMs > STEADY ? 1 : this.failures + 1;
    const delay = restartDelay(this.failures);
    this.events.say(`${this.plan.name} ended with ${how}; next try in ${delay / 1000} s (${this.logFile})`);
    this.timer = setTimeout(() => {
      this.restarts += 1;
      // Its end is handled by the listener in `start`, whether it came before or after `ready`.
      this.start().catch(() => undefined);
    }, delay);
  }
}
