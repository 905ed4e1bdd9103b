import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../src/config/index.js';
import { createLogger } from '../../src/logging/index.js';
import { createAdmin, createConsumer, createProducer } from '../../src/messaging/kafka.js';
import type { EventAdmin, EventProducer, RecordBatch } from '../../src/messaging/messaging.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';

const stack = useStack();
const logger = createLogger({ level: 'error', backend: 'pino' });
let config: Config;
let producer: EventProducer;
let admin: EventAdmin;

beforeAll(async () => {
  config = await stack.isolated();
  producer = await createProducer(config.kafka, logger);
  admin = await createAdmin(config.kafka, logger);
}, 60_000);
afterAll(async () => {
  await producer?.close();
  await admin?.close();
});

const topicOf = async (name: string): Promise<string> => {
  const topic = `${config.kafka.uploadsTopic}.${name}`;
  await admin.ensureTopics([topic], 1);
  return topic;
};
const produce = (topic: string, count: number): Promise<void> =>
  producer.send(Array.from({ length: count }, (_, n) => ({ topic, key: null, value: String(n) })));
const committed = async (groupId: string, topic: string): Promise<bigint> =>
  (await admin.lag(groupId, topic))[0]!.committed;

test('topics are created once and left as they are', async () => {
  const topic = await topicOf('made');
  await admin.ensureTopics([topic], 5);
  expect(await admin.lag('nobody', topic)).toEqual([{ partition: 0, end: 0n, committed: 0n }]);
}, 30_000);

test('only what has no gap before it is committed; the rest comes again after the pause', async () => {
  const topic = await topicOf('gaps');
  const kafka = { ...config.kafka, groupId: `${topic}.group` };
  const seen: string[][] = [];
  let waiting: Promise<void> | undefined;
  const consumer = await createConsumer(kafka, logger, topic, (batch) => {
    seen.push(batch.records.map(({ value }) => String(value)));
    for (const record of [...batch.records].reverse()) {
      if (seen.length > 1 || String(record.value) !== '3') batch.done(record);
    }
    waiting ??= committed(kafka.groupId, topic).then(() => undefined);
    return Promise.resolve(seen.length === 1 ? { pauseMs: 1_500 } : {});
  });
  try {
    await produce(topic, 6);
    await until('first pass committed', async () => (await committed(kafka.groupId, topic)) === 3n, 10_000);
    await until('all committed', async () => (await committed(kafka.groupId, topic)) === 6n, 10_000);
    await waiting;
    expect(seen).toEqual([
      ['0', '1', '2', '3', '4', '5'],
      ['3', '4', '5'],
    ]);
  } finally {
    await consumer.close();
  }
}, 40_000);

test('a handler that works longer than the session timeout keeps its partition', async () => {
  const topic = await topicOf('slow');
  const kafka = { ...config.kafka, groupId: `${topic}.group`, sessionSeconds: 6 };
  let aborted: boolean | undefined;
  const consumer = await createConsumer(kafka, logger, topic, async (batch: RecordBatch) => {
    await sleep(8_000);
    aborted = batch.signal.aborted;
    for (const record of batch.records) batch.done(record);
    return {};
  });
  try {
    await produce(topic, 1);
    await until('committed', async () => (await committed(kafka.groupId, topic)) === 1n, 20_000);
    expect(aborted).toBe(false);
  } finally {
    await consumer.close();
  }
}, 40_000);

test.each([new TypeError('a bug'), new Error('a bug')])(
  'a handler that throws %s is a crash, not a silent stop',
  async (error) => {
    const topic = await topicOf(`crash-${error.name}`);
    const kafka = { ...config.kafka, groupId: `${topic}.group` };
    const consumer = await createConsumer(kafka, logger, topic, () => Promise.reject(error));
    try {
      await produce(topic, 1);
      await expect(consumer.crashed).rejects.toThrow('a bug');
    } finally {
      await consumer.close();
    }
  },
  40_000,
);

test('a consumer whose brokers end while it asks them for its coordinator goes on when they are back', async () => {
  const topic = await topicOf('coordinator');
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/cluster/index.js') as {
    prototype: { findGroupCoordinatorMetadata: () => Promise<unknown> };
  };
  const { KafkaJSGroupCoordinatorNotFound: NotFound } = require('kafkajs/src/errors.js') as {
    KafkaJSGroupCoordinatorNotFound: new (message: string) => Error;
  };
  // A broker ends at such a moment by chance only: this is what KafkaJS makes of it.
  const lookup = jest.spyOn(prototype, 'findGroupCoordinatorMetadata');
  lookup.mockRejectedValueOnce(new NotFound('Failed to find group coordinator'));
  const seen: string[] = [];
  const consumer = await createConsumer({ ...config.kafka, groupId: `${topic}.group` }, logger, topic, (batch) => {
    for (const record of batch.records) {
      seen.push(String(record.value));
      batch.done(record);
    }
    return Promise.resolve({});
  });
  try {
    await produce(topic, 1);
    const consumed = until('it consumes', () => seen.length > 0, 30_000);
    await Promise.race([consumed, consumer.crashed]);
    expect(seen).toEqual(['0']);
    expect(lookup.mock.calls.length).toBeGreaterThan(1);
  } finally {
    lookup.mockRestore();
    await consumer.close();
  }
}, 60_000);

test('a record that is too large is refused for good, and the producer goes on', async () => {
  const topic = await topicOf('large');
  const value = Buffer.alloc(2_000_000);
  await expect(producer.send([{ topic, key: null, value }])).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
  await produce(topic, 2);
  expect((await admin.readAll(topic)).map((record) => String(record.value))).toEqual(['0', '1']);
}, 40_000);

test('an idle connection sets no timers of a millisecond (tulios/kafkajs#1751)', async () => {
  await admin.lag('nobody', await topicOf('idle'));
  const spy = jest.spyOn(globalThis, 'setTimeout');
  try {
    await sleep(500);
    expect(spy.mock.calls.length).toBeLessThan(20);
  } finally {
    spy.mockRestore();
  }
}, 30_000);
