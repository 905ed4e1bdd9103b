/** An ingest: items that come one after another, are encoded so many at once, and are handed to a target in time. */
import type { Job, MediaKind, Priority } from './assets.js';
import type { DeadlineWishes } from './deadlines.js';
import type { PublicError } from './errors.js';

export const INGEST_WORKFLOW_TYPES = { item: 'ingestItem', slots: 'encoderSlots' } as const;

/** What is to be encoded. */
export type IngestWork =
  /** A stand-in that takes so many seconds. */
  | { readonly kind: 'simulated'; readonly seconds: number }
  | { readonly kind: 'file'; readonly job: Job; readonly media: MediaKind };

/** Argument of `ingestItem`. */
export interface IngestItem extends DeadlineWishes {
  readonly id: string;
  /** Name of the ingest that it belongs to. */
  readonly ingest: string;
  readonly work: IngestWork;
  readonly tenant: string;
  readonly priority: Priority;
  /** Name of a configured target. Absent of a file: its profile says. */
  readonly target?: string | undefined;
}

/** What became of an item. */
export interface ItemOutcome {
  readonly encoded: boolean;
  readonly published: boolean;
  readonly error?: PublicError | undefined;
  /** It was known before it was late that it would be. */
  readonly wasAtRisk: boolean;
  /** ISO 8601, as far as it came. */
  readonly startedAt?: string | undefined;
  readonly encodedAt?: string | undefined;
  readonly publishedAt?: string | undefined;
  /** ISO 8601. Absent: it had no deadline. */
  readonly publishBy?: string | undefined;
}

export interface EncodeTimes {
  /** ISO 8601. When its first attempt began. */
  readonly startedAt: string;
  readonly encodedAt: string;
}

export interface SimulatedEncode {
  readonly id: string;
  readonly seconds: number;
}

/** How a file's asset came out. */
export interface AssetOutcome {
  readonly encoded: boolean;
  /** ISO 8601. When something of it was published first. */
  readonly publishedAt?: string | undefined;
  /** ISO 8601. */
  readonly publishBy?: string | undefined;
  readonly wasAtRisk: boolean;
  readonly error?: PublicError | undefined;
}

/** Task queue `media`. */
export interface IngestActivities {
  /** Takes as long as an encoder would, and goes on where an attempt before it was stopped. */
  simulateEncode(encode: SimulatedEncode): Promise<EncodeTimes>;
  /**
   * Waits until nothing happens any more to an asset by itself.
   *
   * @param how `isOver`: its workflow has ended, whatever the catalogue says
   */
  awaitAsset(assetId: string, how: { readonly isOver: boolean }): Promise<AssetOutcome>;
}

/** Signals between an item and the workflow that gives out places at the encoders. */
export const SIGNAL_ASK = 'ask';
export const SIGNAL_RELEASE = 'release';
export const SIGNAL_GRANTED = 'granted';
export const SIGNAL_RESIZE = 'resize';
export const QUERY_LINE = 'line';

/** Payload of `ask`. */
export interface SlotRequest {
  /** Id of the workflow that asks: the same one asks again without harm. */
  readonly workflowId: string;
  /** ISO 8601. When it must begin to be in time; absent: its time begins with its encoding. */
  readonly startBy?: string | undefined;
  /** Known already not to be in time. */
  readonly atRisk?: boolean | undefined;
}

/** Argument of `encoderSlots`; what it knows when it goes on in a new run. */
export interface SlotState {
  /** Encodes at once. */
  readonly encoders: number;
  readonly encoding: readonly SlotRequest[];
  /** In the order in which they asked. */
  readonly waiting: readonly SlotRequest[];
}

/** Answer of the query `line`. */
export interface LineStatus {
  readonly encoders: number;
  readonly waiting: number;
  readonly encoding: number;
  /** Of both. */
  readonly atRisk: number;
}

export const DEFAULT_ENCODERS = 10;

export const itemWorkflowIdOf = ({ ingest, id }: Pick<IngestItem, 'ingest' | 'id'>): string =>
  `${ingestPrefixOf(ingest)}${id}`;
export const ingestPrefixOf = (ingest: string): string => `ingest/${ingest}/item/`;
export const slotsWorkflowIdOf = (ingest: string): string => `ingest/${ingest}/encoders`;

/** ISO 8601. When encoding must begin for its deadline to be met; undefined while only encoding starts its clock. */
export function startByOf({ publishBy, work }: IngestItem): string | undefined {
  if (publishBy === undefined) return undefined;
  const seconds = work.kind === 'simulated' ? work.seconds : 0;
  return new Date(Date.parse(publishBy) - seconds * 1000).toISOString();
}

/** Whether it can't be in time, however soon it begins. @param now milliseconds since the epoch */
export function isHopeless({ publishBy, publicationTimeout = Infinity, work }: IngestItem, now: number): boolean {
  const seconds = work.kind === 'simulated' ? work.seconds : 0;
  const left = publishBy === undefined ? Infinity : (Date.parse(publishBy) - now) / 1000;
  return seconds > Math.min(publicationTimeout, left);
}

/**
 * Who is to encode next: whose latest start comes first; all whose time begins with their encoding can wait, in the
 * order in which they asked.
 */
export function nextInLine(waiting: readonly SlotRequest[]): SlotRequest | undefined {
  let next: SlotRequest | undefined;
  for (const request of waiting) {
    if (!next || instant(request.startBy) < instant(next.startBy)) next = request;
  }
  return next;
}

const instant = (time: string | undefined): number => (time === undefined ? Infinity : Date.parse(time));
