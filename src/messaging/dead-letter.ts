/**
 * Dead letters: what the records of `kafka.dlqTopic` look like.
 *
 * A letter keeps the original key, value and headers, so that it can be replayed as it was. Replays are
 * remembered by markers in the same topic: a record whose header `mediamill-replayed` names the letter.
 * A marker is younger than its letter, so the topic's retention never forgets it first.
 */
import type { Refusal } from '../contracts/events.js';
import type { BrokerRecord, OutgoingRecord } from './messaging.js';

const H = {
  reason: 'mediamill-reason',
  detail: 'mediamill-detail',
  topic: 'mediamill-origin-topic',
  partition: 'mediamill-origin-partition',
  offset: 'mediamill-origin-offset',
  time: 'mediamill-time',
  /** How many bytes of the value the broker's size limit left no room for. */
  cut: 'mediamill-cut-bytes',
  /** How often this event has been replayed. On replayed events and their letters. */
  replay: 'mediamill-replay',
  /** On markers: `partition:offset` of the replayed letter. */
  replayed: 'mediamill-replayed',
} as const;

/** What is kept of a value that the dead-letter topic refuses as too large. Bytes. */
const KEPT_OF_OVERSIZE = 4_096;

export interface DeadLetter {
  /** `partition:offset` within the dead-letter topic. */
  readonly id: string;
  readonly reason: string;
  readonly detail: string;
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: string };
  /** ISO 8601. */
  readonly time: string;
  /** How often the event had been replayed before it came here. */
  readonly replays: number;
  /** This letter has been replayed. */
  readonly replayed: boolean;
  /** False when its value was too large to be kept whole. */
  readonly whole: boolean;
  readonly record: BrokerRecord;
}

export function deadLetterOf(
  dlqTopic: string,
  record: BrokerRecord,
  reason: Refusal,
  detail: string,
  now: Date,
): OutgoingRecord {
  return {
    topic: dlqTopic,
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      [H.reason]: reason,
      [H.detail]: detail,
      [H.topic]: record.topic,
      [H.partition]: String(record.partition),
      [H.offset]: record.offset,
      [H.time]: now.toISOString(),
    },
  };
}

/** For a letter that the broker refuses as too large: the facts and the beginning of the value. */
export function cutLetter(letter: OutgoingRecord): OutgoingRecord {
  const key = Buffer.from(letter.key ?? '');
  const value = Buffer.from(letter.value ?? '');
  const own = Object.entries(letter.headers ?? {}).filter(([name]) => name.startsWith('mediamill-'));
  const lost = Math.max(0, value.length - KEPT_OF_OVERSIZE) + Math.max(0, key.length - KEPT_OF_OVERSIZE);
  return {
    topic: letter.topic,
    key: letter.key && key.subarray(0, KEPT_OF_OVERSIZE),
    value: letter.value && value.subarray(0, KEPT_OF_OVERSIZE),
    headers: { ...Object.fromEntries(own), [H.cut]: String(lost) },
  };
}

/** All letters of the topic, oldest first within a partition. */
export function readLetters(records: readonly BrokerRecord[]): DeadLetter[] {
  const replayed = new Set(records.flatMap(({ headers }) => headers[H.replayed] ?? []));
  return records
    .filter(({ headers }) => headers[H.replayed] === undefined)
    .map((record) => {
      const { headers } = record;
      const id = `${record.partition}:${record.offset}`;
      return {
        id,
        reason: headers[H.reason] ?? 'UNKNOWN',
        detail: headers[H.detail] ?? '',
        origin: {
          topic: headers[H.topic] ?? '',
          partition: Number(headers[H.partition] ?? -1),
          offset: headers[H.offset] ?? '',
        },
        time: headers[H.time] ?? new Date(Number(record.timestamp)).toISOString(),
        replays: Number(headers[H.replay] ?? 0),
        replayed: replayed.has(id),
        whole: headers[H.cut] === undefined,
        record,
      };
    });
}

/** The event as it was, for its origin topic. */
export function replayOf(letter: DeadLetter): OutgoingRecord {
  const { key, value, headers } = letter.record;
  const original = Object.entries(headers).filter(([name]) => !name.startsWith('mediamill-'));
  return {
    topic: letter.origin.topic,
    key,
    value,
    headers: { ...Object.fromEntries(original), [H.replay]: String(letter.replays + 1) },
  };
}

export function replayMarker(letter: DeadLetter): OutgoingRecord {
  return { topic: letter.record.topic, key: null, value: null, headers: { [H.replayed]: letter.id } };
}
