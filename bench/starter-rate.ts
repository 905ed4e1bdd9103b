/**
 * Events per second that the Kafka starter turns into started workflows, over the rate of bare
 * `client.workflow.start` calls with the same options and concurrency against the same servers.
 *
 *   npm run bench:starter -- [EVENTS [ROUNDS]]
 *
 * Rounds alternate, so that a busy neighbour disturbs both alike, and medians are compared. Aim: at least 0.8.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';

import { connectTemporal } from '../src/client/connection.js';
import type { Config } from '../src/config/index.js';
import { createLogger } from '../src/logging/index.js';
import { createAdmin, createProducer } from '../src/messaging/kafka.js';
import type { EventAdmin, EventProducer } from '../src/messaging/messaging.js';
import { jobOf } from '../src/starters/kafka/admit.js';
import { planStart, startWorkflow } from '../src/client/start.js';
import { createObjectStore } from '../src/storage/index.js';
import { startProcess } from '../test/support/worker.js';
import { withBenchServers } from './support/stack.js';

const EVENTS = Number(process.argv[2] ?? 1_000);
const ROUNDS = Number(process.argv[3] ?? 3);

await withBenchServers(async ({ config }) => {
  // Nobody polls the queue: what is measured is starting.
  await measure({ ...config, starter: { ...config.starter, maxOpenWorkflows: 1_000_000 } });
});

async function measure(config: Config): Promise<void> {
  const logger = createLogger({ ...config.log, level: 'warn' }, { process: 'bench' });
  const store = createObjectStore(config.storage);
  const limit = pLimit(config.starter.concurrency);
  // A bucket that announces nothing: the events are ours.
  const bucket = 'bench';
  await store.ensureBucket(bucket);
  const quiet = { ...config, storage: { ...config.storage, uploadsBucket: bucket } };
  const { temporal, close } = await connectTemporal(config.temporal);
  const admin = await createAdmin(config.kafka, logger);
  const producer = await createProducer(config.kafka, logger);
  const starter = await startProcess('starters/kafka/main.js', quiet, 'starter ready');
  try {
    const bare: number[] = [];
    const events: number[] = [];
    // The first round warms both up and is not counted.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const keys = Array.from({ length: EVENTS }, (_, n) => `${round}-${n}.mp4`);
      const put = (key: string) => store.putBytes(bucket, key, Buffer.from(key), { contentType: 'video/mp4' });
      await Promise.all(keys.map((key) => limit(put, key)));
      bare.push(await rate(() => Promise.all(keys.map((key) => limit(() => bareStart(temporal, quiet, key))))));
      events.push(await rate(() => eventStarts(admin, producer, quiet, keys)));
    }
    await untilOpen(temporal, 2 * EVENTS * (ROUNDS + 1));
    const [bareRate, eventRate] = [median(bare.slice(1)), median(events.slice(1))];
    console.log(JSON.stringify({ events: EVENTS, bare: bare.map(Math.round), starter: events.map(Math.round) }));
    console.log(
      `bare client.workflow.start ${bareRate.toFixed(0)}/s, Kafka starter ${eventRate.toFixed(0)}/s, ` +
        `ratio ${(eventRate / bareRate).toFixed(2)} (aim >= 0.8)`,
    );
  } finally {
    starter.kill('SIGTERM');
    await starter.exited;
    await producer.close();
    await admin.close();
    await close();
  }
}

async function bareStart(temporal: Client, { storage, starter, queues }: Config, key: string): Promise<void> {
  const stat = { bytes: 1, etag: `bare-${key}`, modifiedAt: new Date(), metadata: {} };
  const admission = jobOf({ bucket: storage.uploadsBucket, key }, stat, undefined, starter);
  if (admission.outcome === 'admitted') await startWorkflow(temporal, planStart(admission.job, 'video/mp4', queues));
}

/** From the first event produced until the group has committed the last. */
async function eventStarts(
  admin: EventAdmin,
  producer: EventProducer,
  { kafka }: Config,
  keys: readonly string[],
): Promise<void> {
  await producer.send(keys.map((key) => ({ topic: kafka.uploadsTopic, key: 'video/mp4', value: key })));
  for (;;) {
    const partitions = await admin.lag(kafka.groupId, kafka.uploadsTopic);
    if (partitions.every(({ end, committed }) => end === committed)) return;
    await sleep(50);
  }
}

/** That as many were started as were counted: Temporal's visibility store shows it a little later. */
async function untilOpen(client: Client, expected: number): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    if ((await client.workflow.count(`ExecutionStatus = 'Running'`)).count === expected) return;
    await sleep(500);
  }
  throw new Error(`${expected} workflows should be open`);
}

/** Per second. */
async function rate(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return EVENTS / ((performance.now() - begin) / 1_000);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
