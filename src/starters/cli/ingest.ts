import { setTimeout as sleep } from 'node:timers/promises';

import { InvalidArgumentError, Option, type Command } from 'commander';

import { openTemporal } from '../../client/lazy-connection.js';
import type { Config } from '../../config/schema.js';
import { loadProfiles } from '../../config/profiles.js';
import { loadTargets } from '../../config/targets.js';
import { DEFAULT_ENCODERS } from '../../contracts/ingest.js';
import { createLogger } from '../../logging/index.js';
import { createProducer } from '../../messaging/kafka.js';
import { beforeScrape, metrics, serveMetrics } from '../../metrics/index.js';
import { createObjectStore } from '../../storage/index.js';
import { cliConfig } from './config.js';
import { parseRate } from './ingest/pace.js';
import { Ingest } from './ingest/run.js';
import { createSubmit } from './ingest/submit.js';
import { View, type Picture } from './ingest/view.js';

interface Options {
  readonly name: string;
  readonly rate?: number;
  readonly encoders: number;
  readonly via: 'client' | 'kafka';
  readonly target?: string;
  readonly tenant?: string;
  readonly port?: number;
  readonly exit?: boolean;
  readonly keepRunning?: boolean;
}

/** Milliseconds. */
const LOOK_EVERY = 500;
const LONG = 3_600_000;

export function registerIngest(program: Command): void {
  program
    .command('ingest')
    .description('read items as JSON lines from standard input, have them encoded and published in time')
    .option('--name <name>', 'what this ingest is called: the same name and lines begin nothing twice', name, 'default')
    .option('--rate <n/unit>', 'items begun per s, min or h, such as 2/s; default: as fast as they come', rate)
    .addOption(
      new Option('--encoders <n>', 'items encoded at once')
        .env('ENCODERS')
        .default(DEFAULT_ENCODERS)
        .argParser(whole(1, 10_000)),
    )
    .addOption(new Option('--via <way>', 'how items are begun').choices(['client', 'kafka']).default('client'))
    .option('--target <name>', 'target that items are delivered to when they name none')
    .option('--tenant <name>', 'tenant of items that name none', name)
    .addOption(
      new Option('--port <port>', 'serves /metrics on this port; 0: any free one')
        .env('PORT')
        .argParser(whole(0, 65_535)),
    )
    .addOption(new Option('--exit', 'end when everything has ended (the default)').conflicts('keepRunning'))
    .addOption(new Option('--keep-running', 'stay, and go on serving /metrics (KEEP_RUNNING=true)'))
    .action(async (options: Options) => {
      const keepRunning = options.keepRunning ?? (!options.exit && isOn(process.env.KEEP_RUNNING));
      process.exitCode = (await ingest(cliConfig(), { ...options, keepRunning })) ? 0 : 1;
      // What is begun goes on without us; connections that wait for its end must not keep us.
      process.exit();
    });
}

async function ingest(config: Config, options: Options): Promise<boolean> {
  const targets = [...loadTargets(config.publishers.targets, loadProfiles(config.profiles.dir)).keys()];
  if (options.target !== undefined && !targets.includes(options.target))
    throw new Error(`There is no target ${options.target} (publishers.targets): ${targets.join(', ') || 'none'}.`);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => (stop.signal.aborted ? process.exit(130) : stop.abort()));
  }
  const view = new View(process.stdout);
  const logger = createLogger({ ...config.log, level: 'error' }, { process: 'ingest' }, process.stderr);
  const temporal = openTemporal(config.temporal, 'starter:ingest');
  const producer = options.via === 'kafka' ? await createProducer(config.kafka, logger) : undefined;
  const ports = { config, temporal, producer, store: createObjectStore(config.storage) };
  const tenant = options.tenant ?? config.starter.tenant;
  const submit = createSubmit(ports, { ingest: options.name, tenant, target: options.target });
  const { name, encoders, rate: perSecond } = options;
  const say = (text: string): void => view.say(text);
  const run = new Ingest(temporal, submit, { name, encoders, rate: perSecond, queues: config.queues }, say, stop);
  const page = await tell(config, options, run, logger, say);
  const timer = setInterval(() => void run.look().then((picture) => view.show(picture)), LOOK_EVERY);
  try {
    await run.run(process.stdin);
    clearInterval(timer);
    const isWhole = !stop.signal.aborted;
    if (!isWhole) view.say('stopped: what is begun goes on; the same command takes it up again');
    view.say(run.ledger.deadlinesLine());
    view.say(run.ledger.statsLine());
    if (isWhole && options.keepRunning) await stopped(stop.signal);
    return isWhole && run.ledger.published === run.ledger.submitted;
  } finally {
    clearInterval(timer);
    await page?.close();
    await producer?.close();
  }
}

/** Nothing else keeps the process alive meanwhile. */
async function stopped(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await sleep(LONG, undefined, { signal }).catch(() => undefined);
}

async function tell(
  config: Config,
  { port }: Options,
  run: Ingest,
  logger: Parameters<typeof serveMetrics>[1],
  say: (text: string) => void,
): Promise<{ close(): Promise<void> } | undefined> {
  if (port === undefined) return undefined;
  beforeScrape('ingest', async () => {
    for (const [stage, count] of Object.entries(stagesOf(await run.look())))
      metrics.ingestItems.set({ stage: stage as keyof ReturnType<typeof stagesOf> }, count);
  });
  const page = await serveMetrics({ kind: 'ingest', metrics: { ...config.metrics, port } }, logger);
  say(`metrics: http://${config.metrics.host}:${page.port}/metrics`);
  return page;
}

const stagesOf = ({ queue, encoding, publishing, published, failed, atRisk }: Picture) => ({
  ...{ queue, encoding, publishing, published, failed },
  'at-risk': atRisk,
});

const isOn = (value = ''): boolean => /^(1|on|true|yes)$/i.test(value);

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function name(value: string): string {
  if (!NAME.test(value)) throw new InvalidArgumentError('Expected up to 64 letters, digits and `._-`.');
  return value;
}

function rate(value: string): number {
  const perSecond = parseRate(value);
  if (perSecond === undefined) throw new InvalidArgumentError('Expected a rate such as 2/s, 90/min or 1000/h.');
  return perSecond;
}

const whole = (least: number, most: number) => (value: string) => {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most)
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  return number;
};
