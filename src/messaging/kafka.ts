/**
 * The Kafka adapter: the only file that imports a Kafka client (KafkaJS 2.2.4).
 *
 * What KafkaJS does that this file works around:
 * - A handler that throws stops or restarts the consumer (a `TypeError` stops it for good while the
 *   process lives on): handlers given to `createConsumer` must not throw, and if one does, it is a crash.
 * - It heartbeats between batches only: here a timer heartbeats while a handler works.
 * - Every connection that has had one answer wakes up each millisecond for ever (tulios/kafkajs#1751;
 *   2.5% of a core for an idle process, 0.5% without): `stopIdleTimer` below.
 * - A producer that gives up on a send may reuse its sequence number for another record, which a broker
 *   takes for a copy and drops: after any failed send the producer is replaced (new producer id).
 */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  Kafka,
  logLevel,
  Partitioners,
  type Admin,
  type Consumer,
  type EachBatchPayload,
  type KafkaMessage,
  type Producer,
} from 'kafkajs';

import type { Config } from '../config/schema.js';
import { MediaError } from '../contracts/errors.js';
import type { Logger } from '../logging/logger.js';
import type {
  BatchVerdict,
  BrokerRecord,
  ConsumerLag,
  EventAdmin,
  EventConsumer,
  EventProducer,
  OutgoingRecord,
  RecordBatch,
} from './messaging.js';

type KafkaConfig = Config['kafka'];

/** How long a fetch waits for data; also how late a resumed partition is read. Milliseconds. */
const FETCH_WAIT = 500;
/** A consumer without any sign of life for so long is taken for dead. Longer than a slow rebalance. */
const SILENCE_LIMIT = 180_000;
/** A new topic has its leaders within a tenth of a second; 10 s in all. */
const LEADER_TRIES = 100;
/** About 10 s of trying in all. */
const RETRY = { initialRetryTime: 200, multiplier: 2, maxRetryTime: 5_000, retries: 5 };

/** @throws MediaError EVENTS_UNAVAILABLE when no broker answers. */
export async function createProducer(config: KafkaConfig, logger: Logger): Promise<EventProducer> {
  const kafka = connectTo(config, logger);
  interface Live {
    readonly producer: Producer;
    inFlight: number;
    retired: boolean;
  }
  const open = async (): Promise<Live> => {
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: RETRY,
    });
    await producer.connect();
    return { producer, inFlight: 0, retired: false };
  };
  const release = async (live: Live): Promise<void> => {
    if (live.retired && live.inFlight === 0) await live.producer.disconnect();
  };
  let current: Promise<Live> | undefined = open();
  await current.catch((error: unknown) => {
    throw unavailable(error);
  });

  return {
    async send(records) {
      const mine = (current ??= open());
      let live: Live | undefined;
      try {
        live = await mine;
        live.inFlight += 1;
        await live.producer.sendBatch({ acks: -1, topicMessages: byTopic(records) });
      } catch (error) {
        if (live) live.retired = true;
        if (current === mine) current = undefined;
        throw isRefusal(error) ? error : unavailable(error);
      } finally {
        if (live) {
          live.inFlight -= 1;
          await release(live).catch((error: unknown) => logger.debug('old producer did not close', { error }));
        }
      }
    },
    async close() {
      const live = await current?.catch(() => undefined);
      await live?.producer.disconnect();
    },
  };
}

/**
 * Joins the group and starts handing over batches, several partitions at a time. A group without a
 * committed offset starts at the beginning: what was produced before its first consumer is not lost.
 *
 * @param handle must not throw; returns within seconds after `signal` aborts.
 * @throws MediaError EVENTS_UNAVAILABLE when no broker answers.
 */
export async function createConsumer(
  config: KafkaConfig,
  logger: Logger,
  topic: string,
  handle: (batch: RecordBatch) => Promise<BatchVerdict>,
): Promise<EventConsumer> {
  const sessionTimeout = config.sessionSeconds * 1_000;
  const consumer = connectTo(config, logger).consumer({
    groupId: config.groupId,
    sessionTimeout,
    heartbeatInterval: sessionTimeout / 5,
    maxWaitTimeInMs: FETCH_WAIT,
    retry: RETRY,
  });
  const crash = watch(consumer, logger);
  const open = new Set<AbortController>();
  const timers = new Set<NodeJS.Timeout>();
  let closing = false;

  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    const stop = new AbortController();
    open.add(stop);
    const heartbeat = keepAlive(payload, stop);
    const verdict = await handle(openBatch(payload, stop.signal)).finally(() => {
      open.delete(stop);
      heartbeat.end();
    });
    if (!verdict.pauseMs || stop.signal.aborted || closing) return;
    const resume = payload.pause();
    const timer = setTimeout(() => {
      timers.delete(timer);
      // After a rebalance this may be another's partition: resuming it does nothing.
      resume();
    }, verdict.pauseMs);
    timers.add(timer);
  };

  const close = async (): Promise<void> => {
    closing = true;
    crash.stop();
    for (const stop of open) stop.abort(new Error('the consumer is being closed'));
    for (const timer of timers) clearTimeout(timer);
    await consumer.disconnect();
  };

  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachBatchAutoResolve: false,
      autoCommitInterval: 1_000,
      partitionsConsumedConcurrently: 100,
      eachBatch: (payload) =>
        eachBatch(payload).catch((error: unknown) => {
          // Only a bug gets here. KafkaJS would retry or stop silently, by the class of the error.
          crash.report(error);
          throw error;
        }),
    });
  } catch (error) {
    await close().catch(() => undefined);
    throw unavailable(error);
  }
  return { crashed: crash.crashed, close };
}

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

/** Heartbeats and commits while a handler works; aborts `stop` when the group has taken the partition away. */
function keepAlive(payload: EachBatchPayload, stop: AbortController) {
  const ended = new AbortController();
  const beat = async (): Promise<void> => {
    for (;;) {
      await sleep(1_000, undefined, { signal: ended.signal });
      await payload.heartbeat();
      await payload.commitOffsetsIfNecessary();
    }
  };
  // The answer tells of a rebalance: KafkaJS asks again after the handler and then joins anew.
  beat().catch((error: unknown) => {
    if (!ended.signal.aborted) stop.abort(error);
  });
  return { end: () => ended.abort() };
}

function openBatch(payload: EachBatchPayload, signal: AbortSignal): RecordBatch {
  const { topic, partition, messages } = payload.batch;
  const records = messages.map((message) => toRecord(topic, partition, message));
  const index = new Map(records.map((record, position) => [record.offset, position]));
  const finished = new Array<boolean>(records.length).fill(false);
  let next = 0;
  return {
    topic,
    partition,
    records,
    signal,
    done(record) {
      const position = index.get(record.offset);
      if (position === undefined) throw new RangeError(`offset ${record.offset} is not of this batch`);
      finished[position] = true;
      const first = next;
      while (next < finished.length && finished[next]) next += 1;
      if (next > first) payload.resolveOffset(records[next - 1]!.offset);
    },
  };
}

/** Turns every way in which a KafkaJS consumer can end into one rejection. */
function watch(consumer: Consumer, logger: Logger) {
  let report!: (error: unknown) => void;
  const crashed = new Promise<never>((_resolve, reject) => (report = reject));
  crashed.catch(() => undefined);

  const { CRASH, ...events } = consumer.events;
  let lastSign = Date.now();
  for (const event of [events.CONNECT, events.FETCH_START, events.HEARTBEAT, events.GROUP_JOIN, events.REBALANCING]) {
    consumer.on(event, () => void (lastSign = Date.now()));
  }
  consumer.on(CRASH, ({ payload: { error, restart } }) => {
    lastSign = Date.now();
    if (restart) logger.warn('consumer restarts', { error });
    else report(error);
  });
  const timer = setInterval(() => {
    if (Date.now() - lastSign > SILENCE_LIMIT) report(new Error('the consumer has gone silent'));
  }, 10_000);
  timer.unref();
  return { crashed, report, stop: () => clearInterval(timer) };
}

function connectTo(config: KafkaConfig, logger: Logger): Kafka {
  stopIdleTimer();
  return new Kafka({
    clientId: config.clientId,
    brokers: [...config.brokers],
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    retry: RETRY,
    logLevel: logLevel.INFO,
    logCreator: () => {
      const own = logger.child({ component: 'kafkajs' });
      return ({ level, log: { message, timestamp: _, ...fields } }) => {
        // Its errors are mostly a rebalance or a retry under way; real ones reach the caller as errors.
        // It warns of bounded retries, which `createProducer` makes safe.
        const quiet = level > logLevel.WARN || message.startsWith('Limiting retries');
        own[quiet ? 'debug' : 'warn'](message, fields);
      };
    },
  });
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

let idleTimerStopped = false;

/**
 * KafkaJS looks for pending requests on a timer that it sets anew even when none is pending. Requests
 * that become pending later set the timer themselves, so an idle queue needs none.
 */
function stopIdleTimer(): void {
  if (idleTimerStopped) return;
  idleTimerStopped = true;
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    prototype: RequestQueue;
  };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}

function byTopic(records: readonly OutgoingRecord[]) {
  const topics = new Map<string, OutgoingRecord[]>();
  for (const record of records) topics.set(record.topic, [...(topics.get(record.topic) ?? []), record]);
  return [...topics].map(([topic, messages]) => ({
    topic,
    messages: messages.map(({ key, value, headers }) => ({ key, value, headers: { ...headers } })),
  }));
}

function toRecord(topic: string, partition: number, message: KafkaMessage): BrokerRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [
    name,
    String(Array.isArray(value) ? value.at(-1) : value),
  ]);
  const { offset, timestamp, key, value } = message;
  return { topic, partition, offset, timestamp, key, value, headers: Object.fromEntries(headers) };
}

/** The broker will never take this record (too large, not allowed): no other try can mend that. */
function isRefusal(error: unknown): boolean {
  const { retriable, type } = error as { retriable?: boolean; type?: string };
  return retriable === false && ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD'].includes(type ?? '');
}

function unavailable(error: unknown): MediaError {
  return MediaError.is(error) ? error : new MediaError('EVENTS_UNAVAILABLE', undefined, { cause: error });
}
