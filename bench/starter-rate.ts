/**
 * Events per second that the Kafka starter turns into started workflows, over the rate of bare
 * `client.workflow.start` calls with the same options and concurrency against the same servers.
 *
 *   npx swc src bench -d dist/bench --quiet && node dist/bench/bench/starter-rate.js [EVENTS [ROUNDS]]
 *
 * The servers are those of the configuration. Rounds alternate, so that a busy neighbour disturbs both
 * alike, and medians are compared. It works on a bucket, topic, group and task queue of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';

import { connectTemporal } from '../src/client/connection.js';
import { configEnv, loadConfig } from '../src/config/index.js';
import { createLogger } from '../src/logging/index.js';
import { createAdmin, createProducer } from '../src/messaging/kafka.js';
import type { EventAdmin } from '../src/messaging/messaging.js';
import { jobOf } from '../src/starters/kafka/admit.js';
import { planStart, startWorkflow } from '../src/starters/kafka/start-workflow.js';
import { createObjectStore } from '../src/storage/index.js';

const EVENTS = Number(process.argv[2] ?? 1_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const STARTER = fileURLToPath(new URL('../src/starters/kafka/main.js', import.meta.url));

const base = loadConfig();
const id = `bench-${randomUUID().slice(0, 8)}`;
const config = {
  ...base,
  kafka: { ...base.kafka, groupId: id, uploadsTopic: id, dlqTopic: `${id}.dlq` },
  storage: { ...base.storage, uploadsBucket: id, uploadsPrefix: '' },
  queues: { ...base.queues, media: id },
  starter: { ...base.starter, maxOpenWorkflows: 1_000_000 },
  log: { ...base.log, level: 'info' as const },
};
const OPEN = `TaskQueue = '${id}' AND ExecutionStatus = 'Running'`;
const logger = createLogger({ ...config.log, level: 'warn' }, { process: 'bench' });
const store = createObjectStore(config.storage);
const limit = pLimit(config.starter.concurrency);

const { temporal, close: closeTemporal } = await connectTemporal(config.temporal);
const admin = await createAdmin(config.kafka, logger);
const producer = await createProducer(config.kafka, logger);
await store.ensureBucket(id);
await admin.ensureTopics([id, `${id}.dlq`], config.kafka.partitions);

const starter = await startStarter();
const allKeys: string[] = [];
try {
  const bare: number[] = [];
  const events: number[] = [];
  // The first round warms both up and is not counted.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const keys = Array.from({ length: EVENTS }, (_, n) => `${round}-${n}.mp4`);
    allKeys.push(...keys);
    await Promise.all(
      keys.map((key) => limit(() => store.putBytes(id, key, Buffer.from(key), { contentType: 'video/mp4' }))),
    );
    bare.push(await rate(() => bareStarts(keys)));
    events.push(await rate(() => eventStarts(keys)));
  }
  const [bareRate, eventRate] = [median(bare.slice(1)), median(events.slice(1))];
  await untilOpen(temporal, 2 * EVENTS * (ROUNDS + 1));
  console.log(
    JSON.stringify({
      events: EVENTS,
      rounds: ROUNDS,
      bare: bare.map(Math.round),
      starter: events.map(Math.round),
    }),
  );
  console.log(
    `bare client.workflow.start ${bareRate.toFixed(0)}/s, Kafka starter ${eventRate.toFixed(0)}/s, ratio ${(eventRate / bareRate).toFixed(2)}`,
  );
} finally {
  starter.kill('SIGTERM');
  await once(starter, 'exit');
  for await (const { workflowId } of temporal.workflow.list({ query: OPEN })) {
    void limit(() => temporal.workflow.getHandle(workflowId).terminate('end of bench'));
  }
  while (limit.activeCount > 0) await sleep(50);
  await store.remove(id, allKeys);
  await producer.close();
  await admin.close();
  await closeTemporal();
}

async function bareStarts(keys: readonly string[]): Promise<void> {
  await Promise.all(
    keys.map((key) =>
      limit(async () => {
        const stat = { bytes: 1, etag: `bare-${key}`, modifiedAt: new Date(), metadata: {} };
        const admission = jobOf({ bucket: id, key }, stat, undefined, config.starter);
        if (admission.outcome === 'admitted')
          await startWorkflow(temporal, planStart(admission.job, 'video/mp4', config.queues));
      }),
    ),
  );
}

/** From the first event produced until the group has committed the last. */
async function eventStarts(keys: readonly string[]): Promise<void> {
  await producer.send(keys.map((key) => ({ topic: id, key: 'video/mp4', value: key })));
  while (!(await caughtUp(admin))) await sleep(50);
}

async function caughtUp(admin: EventAdmin): Promise<boolean> {
  const partitions = await admin.lag(id, id);
  return partitions.every(({ end, committed }) => end === committed);
}

/** That as many were started as were counted: Temporal's visibility store shows it a little later. */
async function untilOpen(client: Client, expected: number): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    if ((await client.workflow.count(OPEN)).count === expected) return;
    await sleep(500);
  }
  throw new Error(`${expected} workflows should be open`);
}

async function startStarter(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [STARTER], {
    env: { ...process.env, ...configEnv(config) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('starter ready')) break;
  }
  child.stdout.resume();
  return child;
}

/** Per second. */
async function rate(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return EVENTS / ((performance.now() - begin) / 1_000);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
