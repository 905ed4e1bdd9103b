/** The Kafka starter as a process of its own, and what a test needs to feed and judge it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';

import { connectTemporal } from '../../src/client/connection.js';
import type { Config } from '../../src/config/index.js';
import { createLogger } from '../../src/logging/index.js';
import { readLetters, type DeadLetter } from '../../src/messaging/dead-letter.js';
import { createAdmin, createProducer } from '../../src/messaging/kafka.js';
import type { OutgoingRecord } from '../../src/messaging/messaging.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { processEnv } from './stack.js';

const MAIN = fileURLToPath(new URL('../../dist/starters/kafka/main.js', import.meta.url));

export interface StarterProcess {
  /** Everything that it has logged so far. */
  readonly log: string;
  /** Resolves when its log has this text; rejects when the process ends first. */
  logged(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals>;
}

export function spawnStarter(config: Config): StarterProcess {
  const child = spawn(process.execPath, [MAIN], { env: processEnv(config), stdio: ['ignore', 'pipe', 'inherit'] });
  const waiting = new Set<() => void>();
  let log = '';
  let ended = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    log += `${line}\n`;
    for (const check of waiting) check();
  });
  const exit = once(child, 'exit').then(([code, signal]) => {
    ended = true;
    for (const check of waiting) check();
    return (code ?? signal) as number | NodeJS.Signals;
  });
  return {
    get log() {
      return log;
    },
    logged: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (log.includes(text)) resolve();
          else if (ended) reject(new Error(`the starter ended before it logged ${text}:\n${log}`));
          else return;
          waiting.delete(check);
        };
        waiting.add(check);
        check();
      }),
    kill: (signal) => void child.kill(signal),
    exit,
  };
}

/** Runs `use` beside so many starters; none outlives it. */
export async function withStarters<T>(
  config: Config,
  count: number,
  use: (starters: StarterProcess[]) => Promise<T>,
): Promise<T> {
  const starters = Array.from({ length: count }, () => spawnStarter(config));
  try {
    await Promise.all(starters.map((starter) => starter.logged('starter ready')));
    return await use(starters);
  } catch (error) {
    for (const starter of starters)
      process.stderr.write(`--- log of a starter, its end:\n${starter.log.slice(-5_000)}`);
    throw error;
  } finally {
    for (const starter of starters) starter.kill('SIGKILL');
    await Promise.all(starters.map(({ exit }) => exit));
  }
}

/** A test's own connections to the servers that a starter works with. */
export interface Bench {
  readonly config: Config;
  readonly temporal: Client;
  readonly store: ObjectStore;
  produce(records: readonly Omit<OutgoingRecord, 'topic'>[]): Promise<void>;
  /** Puts small objects into the uploads bucket. */
  upload(keys: readonly string[]): Promise<void>;
  /** Events that the group has not committed. */
  lag(): Promise<bigint>;
  letters(): Promise<DeadLetter[]>;
  /** All executions on the test's workflow queue, open ones only when asked. */
  countWorkflows(which?: 'open'): Promise<number>;
  close(): Promise<void>;
}

export async function openBench(config: Config): Promise<Bench> {
  const logger = createLogger({ ...config.log, level: 'error' });
  const [producer, admin, { temporal, close }] = await Promise.all([
    createProducer(config.kafka, logger),
    createAdmin(config.kafka, logger),
    connectTemporal(config.temporal),
  ]);
  const store = createObjectStore(config.storage);
  const { uploadsTopic, dlqTopic, groupId } = config.kafka;
  return {
    config,
    temporal,
    store,
    produce: (records) => producer.send(records.map((record) => ({ ...record, topic: uploadsTopic }))),
    async upload(keys) {
      const limit = pLimit(16);
      const put = (key: string) =>
        store.putBytes(config.storage.uploadsBucket, key, Buffer.from(key), { contentType: 'video/mp4' });
      await Promise.all(keys.map((key) => limit(put, key)));
    },
    async lag() {
      const partitions = await admin.lag(groupId, uploadsTopic);
      return partitions.reduce((sum, { end, committed }) => sum + end - committed, 0n);
    },
    letters: async () => readLetters(await admin.readAll(dlqTopic)),
    async countWorkflows(which) {
      const open = which === 'open' ? ` AND ExecutionStatus = 'Running'` : '';
      return (await temporal.workflow.count(`TaskQueue = '${config.queues.media}'${open}`)).count;
    },
    async close() {
      await producer.close();
      await admin.close();
      await close();
    },
  };
}

/** The three accepted forms of an event for one object. */
export function allForms(config: Config, key: string): { key: string | null; value: string }[] {
  const bucket = config.storage.uploadsBucket;
  const encoded = encodeURIComponent(key).replaceAll('%20', '+');
  const record = { eventName: 's3:ObjectCreated:Put', s3: { bucket: { name: bucket }, object: { key: encoded } } };
  const cloudEvent = { specversion: '1.0', id: key, source: '/test', type: 'upload', data: { bucket, key } };
  return [
    { key: `${bucket}/${key}`, value: JSON.stringify({ Records: [record] }) },
    { key, value: JSON.stringify(cloudEvent) },
    { key: 'video/mp4', value: key },
  ];
}

/** Deterministic pseudo-random numbers from 0 to 1 (mulberry32), so that a failing order can be had again. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values];
  for (let i = result.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
