/**
 * The Kafka adapter: with `kafka-connect.ts` and `kafka-admin.ts` the only code that imports a Kafka client
 * (KafkaJS 2.2.4).
 *
 * What KafkaJS does that these files work around:
 * - A handler that throws stops or restarts the consumer (a `TypeError` stops it for good while the
 *   process lives on): handlers given to `createConsumer` must not throw, and if one does, it is a crash.
 * - Brokers that end while a consumer asks them for its coordinator make it give up for good: it is run again.
 * - It heartbeats between batches only: here a timer heartbeats while a handler works.
 * - Every connection that has had one answer wakes up each millisecond for ever (tulios/kafkajs#1751;
 *   2.5% of a core for an idle process, 0.5% without): `stopIdleTimer`.
 * - A producer that gives up on a send may reuse its sequence number for another record, which a broker
 *   takes for a copy and drops: after any failed send the producer is replaced (new producer id).
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { Partitioners, type Consumer, type EachBatchPayload, type Producer } from 'kafkajs';

import type { Logger } from '../logging/logger.js';
import { connectTo, FETCH_WAIT, RETRY, toRecord, unavailable, type KafkaConfig } from './kafka-connect.js';
import type { BatchVerdict, EventConsumer, EventProducer, OutgoingRecord, RecordBatch } from './messaging.js';

export { createAdmin } from './kafka-admin.js';

/** Before a consumer that KafkaJS has given up is run again. Milliseconds. */
const RUN_AGAIN = 2_000;

/** A consumer without any sign of life for so long is taken for dead. Longer than a slow rebalance. Milliseconds. */
const SILENCE_LIMIT = 180_000;

/** @throws MediaError EVENTS_UNAVAILABLE when no broker answers. */
export async function createProducer(config: KafkaConfig, logger: Logger): Promise<EventProducer> {
  const { producer, connected } = prepareProducer(config, logger);
  await connected().catch((error: unknown) => {
    throw unavailable(error);
  });
  return producer;
}

/** Connects when first needed: with the broker away, its process does not die. */
export const openProducer = (config: KafkaConfig, logger: Logger): EventProducer =>
  prepareProducer(config, logger).producer;

interface LiveProducer {
  readonly producer: Producer;
  inFlight: number;
  retired: boolean;
}

function prepareProducer(config: KafkaConfig, logger: Logger) {
  const kafka = connectTo(config, logger);
  const open = async (): Promise<LiveProducer> => {
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: RETRY,
    });
    await producer.connect();
    return { producer, inFlight: 0, retired: false };
  };
  const release = async (live: LiveProducer): Promise<void> => {
    if (live.retired && live.inFlight === 0) await live.producer.disconnect();
  };
  let current: Promise<LiveProducer> | undefined;
  const connected = (): Promise<LiveProducer> => (current ??= open());

  const producer: EventProducer = {
    async send(records) {
      const mine = connected();
      let live: LiveProducer | undefined;
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
  return { producer, connected };
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
  let again: NodeJS.Timeout | undefined;
  const crash = watch(consumer, logger, () => {
    if (!closing) again = setTimeout(() => void run().catch(crash.report), RUN_AGAIN);
  });
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
    for (const timer of [...timers, again]) clearTimeout(timer);
    await consumer.disconnect();
  };

  const run = (): Promise<void> =>
    consumer.run({
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

  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await run();
  } catch (error) {
    await close().catch(() => undefined);
    throw unavailable(error);
  }
  return { crashed: crash.crashed, close };
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

/**
 * Turns every way in which a KafkaJS consumer can end into one rejection.
 *
 * @param runAgain is called instead when no broker answered: an outage is to be waited for.
 */
function watch(consumer: Consumer, logger: Logger, runAgain: () => void) {
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
    if (!restart && !isNoCoordinator(error)) return report(error);
    logger.warn('consumer restarts', { error });
    if (!restart) runAgain();
  });
  const timer = setInterval(() => {
    if (Date.now() - lastSign > SILENCE_LIMIT) report(new Error('the consumer has gone silent'));
  }, 10_000);
  timer.unref();
  return { crashed, report, stop: () => clearInterval(timer) };
}

/** KafkaJS asks all brokers, swallows what each says, and takes it for an error that no other try can mend. */
const isNoCoordinator = (error: Error): boolean =>
  error.name === 'KafkaJSGroupCoordinatorNotFound' || (error.cause instanceof Error && isNoCoordinator(error.cause));

function byTopic(records: readonly OutgoingRecord[]) {
  const topics = new Map<string, OutgoingRecord[]>();
  for (const record of records) topics.set(record.topic, [...(topics.get(record.topic) ?? []), record]);
  return [...topics].map(([topic, messages]) => ({
    topic,
    messages: messages.map(({ key, value, headers }) => ({ key, value, headers: { ...headers } })),
  }));
}

/** The broker will never take this record (too large, not allowed): no other try can mend that. */
function isRefusal(error: unknown): boolean {
  const { retriable, type } = error as { retriable?: boolean; type?: string };
  return retriable === false && ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD'].includes(type ?? '');
}
