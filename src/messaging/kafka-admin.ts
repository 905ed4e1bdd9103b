/** Topics and offsets as operators and tests see them. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Admin, Consumer } from 'kafkajs';

import type { Logger } from '../logging/logger.js';
import { connectTo, FETCH_WAIT, RETRY, toRecord, unavailable, type KafkaConfig } from './kafka-connect.js';
import type { BrokerRecord, ConsumerLag, EventAdmin } from './messaging.js';

/** A new topic has its leaders within a tenth of a second; 10 s in all. */
const LEADER_TRIES = 100;

/** @throws MediaError EVENTS_UNAVAILABLE when no broker answers. */
export async function createAdmin(config: KafkaConfig, logger: Logger): Promise<EventAdmin> {
  const kafka = connectTo(config, logger);
  const admin = kafka.admin({ retry: RETRY });
  const guarded = async <T>(work: () => Promise<T>): Promise<T> =>
    work().catch((error: unknown) => {
      throw unavailable(error);
    });
  await guarded(() => admin.connect());

  return {
    ensureTopics: (topics, partitions) =>
      guarded(async () => {
        const existing = await admin.listTopics();
        const missing = topics.filter((topic) => !existing.includes(topic));
        if (missing.length === 0) return;
        // KafkaJS's own wait for leaders fails when a broker has not heard of the new topic yet.
        // Replication: the broker's default.
        await admin.createTopics({
          waitForLeaders: false,
          topics: missing.map((topic) => ({ topic, numPartitions: partitions })),
        });
        await untilLed(admin, missing);
      }),
    lag: (groupId, topic) =>
      guarded(async () => {
        const ends = await admin.fetchTopicOffsets(topic);
        const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
        return ends.map(({ partition, high, low }): ConsumerLag => {
          const offset = committed?.partitions.find((entry) => entry.partition === partition)?.offset ?? '-1';
          return { partition, end: BigInt(high), committed: BigInt(offset === '-1' ? low : offset) };
        });
      }),
    readAll: (topic) =>
      guarded(async () => {
        const ends = await admin.fetchTopicOffsets(topic);
        const wanted = new Map(
          ends.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, BigInt(high)]),
        );
        const groupId = `${config.groupId}-reader-${randomUUID()}`;
        try {
          return await readUntil(kafka.consumer({ groupId, maxWaitTimeInMs: FETCH_WAIT, retry: RETRY }), topic, wanted);
        } finally {
          await admin
            .deleteGroups([groupId])
            .catch((error: unknown) => logger.debug('reader group not deleted', { error }));
        }
      }),
    close: () => admin.disconnect(),
  };
}

/** New topics take producers and consumers once every partition has a leader. */
async function untilLed(admin: Admin, topics: string[]): Promise<void> {
  const led = async (): Promise<boolean> => {
    const metadata = await admin.fetchTopicMetadata({ topics });
    return metadata.topics.every(
      ({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0),
    );
  };
  for (let tries = 1; ; tries += 1) {
    const last = tries === LEADER_TRIES;
    const ready = await led().catch((error: unknown) => {
      if (last) throw error;
      return false;
    });
    if (ready) return;
    if (last) throw new Error(`no leader for ${topics.join(', ')}`);
    await sleep(100);
  }
}

/** Reads each wanted partition up to its end offset (exclusive). */
async function readUntil(consumer: Consumer, topic: string, wanted: Map<number, bigint>): Promise<BrokerRecord[]> {
  const records: BrokerRecord[] = [];
  if (wanted.size === 0) return records;
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer
        .run({
          autoCommit: false,
          eachBatch: ({ batch }) => {
            const end = wanted.get(batch.partition);
            if (end === undefined) return Promise.resolve();
            const before = batch.messages.filter(({ offset }) => BigInt(offset) < end);
            records.push(...before.map((message) => toRecord(topic, batch.partition, message)));
            if (BigInt(batch.lastOffset()) + 1n >= end) wanted.delete(batch.partition);
            if (wanted.size === 0) resolve();
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return records.sort((a, b) => a.partition - b.partition || Number(BigInt(a.offset) - BigInt(b.offset)));
}
