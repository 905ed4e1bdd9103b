/** The port to the event broker. Adapter: `kafka.ts`, the only file that imports a Kafka client. */
import type { RenditionDocument } from '../contracts/assets.js';
import type { DeadlineAnnounced, Delivered, StateChanged } from '../contracts/results.js';

export interface BrokerRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface OutgoingRecord {
  readonly topic: string;
  readonly key: string | Buffer | null;
  readonly value: string | Buffer | null;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Result events out. Safe to repeat: an event's id is derived from what it says. */
export interface ResultPublisher {
  /** @param renditions of the same asset, told of first; all in one request */
  state(change: StateChanged, renditions?: readonly RenditionDocument[]): Promise<void>;
  deadline(announced: DeadlineAnnounced): Promise<void>;
  delivery(delivered: Delivered): Promise<void>;
}

/** Idempotent producer. Errors: EVENTS_UNAVAILABLE for everything that another try can mend. */
export interface EventProducer {
  /** Resolves when all in-sync replicas have it. */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Records of one partition, in order. The consumer heartbeats while they are being handled. */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly BrokerRecord[];
  /** Aborts when this process must stop working on the batch: it is being stopped or lost the partition. */
  readonly signal: AbortSignal;
  /** This record needs no more work. In any order: only what has no gap before it is committed. */
  done(record: BrokerRecord): void;
}

/** What is not `done` comes again: at once, or after a pause of the partition. */
export interface BatchVerdict {
  /** Milliseconds. Meanwhile the partition is paused and the consumer stays in its group. */
  readonly pauseMs?: number | undefined;
}

export interface EventConsumer {
  /** Rejects when the consumer has given up: the process must end, for somebody to start it anew. */
  readonly crashed: Promise<never>;
  /** Waits for running handlers, commits what is done and leaves the group. */
  close(): Promise<void>;
}

export interface ConsumerLag {
  readonly partition: number;
  /** Next offset that will be written. */
  readonly end: bigint;
  /** Next offset that the group will read. */
  readonly committed: bigint;
}

/** Errors: EVENTS_UNAVAILABLE. */
export interface EventAdmin {
  /** Creates what is missing; leaves what exists as it is. */
  ensureTopics(topics: readonly string[], partitions: number): Promise<void>;
  lag(groupId: string, topic: string): Promise<ConsumerLag[]>;
  /** Everything that is in a topic now, partition by partition. Belongs to no group and commits nothing. */
  readAll(topic: string): Promise<BrokerRecord[]>;
  close(): Promise<void>;
}
