/** The port to the event broker. Adapter: `kafka.ts`, the only file that imports a Kafka client. */
import type { RenditionReady, StateChanged } from '../contracts/results.js';

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

/** Result events out. Both are safe to repeat: the event's id is derived from what it says. */
export interface ResultPublisher {
  state(change: StateChanged): Promise<void>;
  rendition(ready: RenditionReady): Promise<void>;
}

/** Idempotent producer. Errors: EVENTS_UNAVAILABLE for everything that another try can mend. */
export interface EventProducer {
  /** Resolves when all in-sync replicas have it. */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}
