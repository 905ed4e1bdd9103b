/** How far a job is: heartbeat details of activities, the `progress` query, the `cancelRendition` and `setPriority` updates, the `wanted` signal. */
import type { AssetState, MediaKind, Priority } from './assets.js';
import type { PublicError } from './errors.js';

/**
 * Heartbeat details. Versioned; always parsed, never trusted: heartbeats are throttled, so on a
 * retry the store is the truth and these a hint.
 */
export interface HeartbeatDetails {
  readonly v: 1;
  /** Attempts so far that speak against the step, this one included while it runs. Not outages, not drains. */
  readonly strikes: number;
  /** Of these, the ones that ended in a failure of their own. The others died, with their worker or of it. */
  readonly failures: number;
  readonly step: 'start' | 'download' | 'inspect' | 'encode' | 'upload' | 'verify' | 'publish' | 'reserve' | 'deliver';
  /** What is being made: `chunk 0`, `audio-0-eng`, an image's name. */
  readonly what: string;
  /** 0-100. */
  readonly percent: number;
  /** Finished segments (of every rung), where the step makes segments. */
  readonly segmentsDone?: number | undefined;
  /** Frames encoded by this attempt. */
  readonly frames?: number | undefined;
  /** Media seconds per wall second. */
  readonly speed?: number | undefined;
  /** ISO 8601. When the first attempt began, where a deadline counts from it. */
  readonly startedAt?: string | undefined;
}

export function parseHeartbeat(details: unknown): HeartbeatDetails | undefined {
  if (typeof details !== 'object' || details === null) return undefined;
  const d = details as Partial<HeartbeatDetails>;
  return d.v === 1 &&
    [d.strikes, d.failures].every(Number.isInteger) &&
    typeof d.percent === 'number' &&
    typeof d.step === 'string'
    ? (d as HeartbeatDetails)
    : undefined;
}

export type PartState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

export interface PartProgress {
  /** Name of the rung, audio track or picture. */
  readonly name: string;
  readonly state: PartState;
  readonly error?: PublicError | undefined;
}

export interface ChunkProgress {
  readonly done: number;
  readonly total: number;
  /** One letter for each, in order: `w`aiting, `r`unning (or in a queue for a worker), `d`one. */
  readonly states: string;
  /** Chunks differ in length: segments say how much of the work is done. */
  readonly segments: { readonly done: number; readonly total: number };
}

/** Answer of the query `progress`. */
export interface Progress {
  readonly assetId: string;
  readonly kind: MediaKind | null;
  readonly state: AssetState;
  /** The step that the workflow is in, as a word for people: `inspecting`, `encoding`, `publishing`, `mending`. */
  readonly stage: string;
  readonly priority: Priority;
  readonly parts: readonly PartProgress[];
  /** Chunks of the video, once planned. */
  readonly chunks?: ChunkProgress | undefined;
  /** Seconds of media, once known. */
  readonly duration?: number | undefined;
  readonly error?: PublicError | undefined;
}

/** Payload of the signal `wanted`: a viewer waits for this segment of a rung or an audio track. */
export interface WantedSegment {
  /** Name of the rung or track. */
  readonly name: string;
  readonly segment: number;
}

export const SIGNAL_WANTED = 'wanted';
export const QUERY_PROGRESS = 'progress';
export const UPDATE_CANCEL_RENDITION = 'cancelRendition';
export const UPDATE_SET_PRIORITY = 'setPriority';
/** Its one argument: a `DeadlineChange`. */
export const UPDATE_SET_DEADLINE = 'setDeadline';
