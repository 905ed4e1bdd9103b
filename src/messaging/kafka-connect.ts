/** What consumer, producer and admin share: the connection, its settings, and how records and errors look to us. */
import { createRequire } from 'node:module';

import { Kafka, logLevel, type KafkaMessage, type SASLOptions } from 'kafkajs';

import type { Config } from '../config/schema.js';
import { MediaError } from '../contracts/errors.js';
import type { Logger } from '../logging/logger.js';
import type { BrokerRecord } from './messaging.js';

export type KafkaConfig = Config['kafka'];

/** How long a fetch waits for data; also how late a resumed partition is read. Milliseconds. */
export const FETCH_WAIT = 500;
/** About 10 s of trying in all. */
export const RETRY = { initialRetryTime: 200, multiplier: 2, maxRetryTime: 5_000, retries: 5 };

export function connectTo(config: KafkaConfig, logger: Logger): Kafka {
  stopIdleTimer();
  return new Kafka({
    clientId: config.clientId,
    brokers: [...config.brokers],
    ssl: config.tls === 'on',
    ...loginOf(config),
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

function loginOf({ saslMechanism: mechanism, username, password }: KafkaConfig): { sasl?: SASLOptions } {
  return mechanism === 'none' ? {} : { sasl: { mechanism, username, password } };
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
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

export function toRecord(topic: string, partition: number, message: KafkaMessage): BrokerRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]): [string, string] => [
    name,
    String(Array.isArray(value) ? value.at(-1) : value),
  ]);
  const { offset, timestamp, key, value } = message;
  return { topic, partition, offset, timestamp, key, value, headers: Object.fromEntries(headers) };
}

export function unavailable(error: unknown): MediaError {
  return MediaError.is(error) ? error : new MediaError('EVENTS_UNAVAILABLE', undefined, { cause: error });
}
