/** The activities as workflows see them. Types only: the implementations live in `src/activities`. */
import type { Job, MediaKind } from './assets.js';
import type { PublicError } from './errors.js';
import type { AudioTrack, Chunk, ChunkResult, EncodedRendition, VideoPlan, VideoRung } from './plan.js';
import type { Rendition } from './renditions.js';

/** What the bytes turned out to be. A wrong guess of the starter is corrected by the workflow. */
export type Inspection = { readonly outcome: 'media'; readonly plan: VideoPlan } | { readonly outcome: 'image' };

export type ImageOutcome =
  | { readonly outcome: 'ready'; readonly renditions: readonly Rendition[]; readonly reader: string }
  /** The bytes are video or audio. */
  | { readonly outcome: 'media' };

/** A planned part that is not published, and why. */
export interface MissingPart {
  readonly name: string;
  readonly error: PublicError;
}

export interface PublishRequest {
  readonly job: Job;
  readonly plan: VideoPlan;
  readonly startedAt: string;
  readonly chunks: readonly ChunkResult[];
  readonly audio: readonly EncodedRendition[];
  readonly posters: readonly Rendition[];
  readonly missing: readonly MissingPart[];
}

export interface PublishResult {
  readonly state: 'ready' | 'partial';
  readonly kind: MediaKind;
  readonly renditions: readonly Rendition[];
  /** Object key of the master playlist. */
  readonly masterKey: string;
}

export interface EndRequest {
  readonly job: Job;
  readonly kind: MediaKind | null;
  readonly state: 'failed' | 'cancelled';
  readonly error: PublicError;
  readonly startedAt: string;
}

/** Task queue `video`. */
export interface VideoActivities {
  /** Decides from the bytes what the object is and plans it. Marks the asset `processing`. */
  inspectMedia(job: Job): Promise<Inspection>;
  /**
   * Encodes all given rungs of one chunk from one decode and uploads each finished segment.
   * A retry starts at the first segment that the store lacks.
   */
  encodeChunk(job: Job, plan: VideoPlan, chunk: Chunk, rungs: readonly VideoRung[]): Promise<ChunkResult>;
  /** Encodes one audio track in one continuous pass. */
  encodeAudio(job: Job, plan: VideoPlan, track: AudioTrack): Promise<EncodedRendition>;
}

/** Task queue `image`. */
export interface ImageActivities {
  /** The whole way of an image: inspect, plan, make all variants, store, publish. */
  makeImage(job: Job, startedAt: string): Promise<ImageOutcome>;
  /** Makes the poster pictures from a frame that a chunk left in the store. */
  makePoster(job: Job, posterKey: string): Promise<Rendition[]>;
}

/** Task queue `media`. */
export interface MediaActivities {
  /** Verifies against the plan, writes playlists and `asset.json`, switches the asset's generation. */
  publishMedia(request: PublishRequest): Promise<PublishResult>;
  /** Writes down that an asset failed or was cancelled, for its uploader and for other services. */
  recordEnd(request: EndRequest): Promise<void>;
  /** Compensation: removes every object of the job's generation and unfinished uploads. Idempotent. */
  discardOutputs(job: Job): Promise<void>;
}
