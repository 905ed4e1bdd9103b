/** The activities as workflows see them. Types only: the implementations live in `src/activities`. */
import type { Job, MediaKind } from './assets.js';
import type { DeadlineReport } from './deadlines.js';
import type { PublicError } from './errors.js';
import type { ImageFacts, LoopPlan } from './image.js';
import type { AudioTrack, Chunk, ChunkResult, EncodedAudio, RungQuality, VideoPlan, VideoRung } from './plan.js';
import type { Pace } from './pace.js';
import type { Rendition } from './renditions.js';
import type { WantedTarget } from './targets.js';

/** What the bytes turned out to be. A wrong guess of the starter is corrected by the workflow. */
export type Inspection =
  | {
      readonly outcome: 'media';
      readonly plan: VideoPlan;
      /** Nobody knows its checksum yet. */
      readonly unhashed?: true | undefined;
      /** Of a job with a deadline. */
      readonly pace?: Pace | undefined;
    }
  | { readonly outcome: 'image' }
  /** Another asset of the same bytes is being made. */
  | { readonly outcome: 'twin'; readonly sha256: string }
  | Adopted;

/** The asset is published already: another one of the same bytes had been. */
export type Adopted = { readonly outcome: 'published' } & PublishResult;

/** `mine`: nothing came of the other asset, and this one is to be made. */
export type TwinOutcome = { readonly outcome: 'mine' } | Adopted;

export type ImageOutcome =
  | {
      readonly outcome: 'ready';
      readonly renditions: readonly Rendition[];
      readonly reader: string;
      readonly missing?: readonly MissingPart[] | undefined;
      /** What it is to be delivered to. Absent: nothing. */
      readonly targets?: readonly WantedTarget[] | undefined;
    }
  /** An animation of which loops are to be made first: nothing is published yet. */
  | { readonly outcome: 'animated'; readonly made: MadeImage; readonly loops: readonly LoopPlan[] }
  /** The bytes are video or audio. */
  | { readonly outcome: 'media' };

/** What `makeImage` brought where something is still to come before it is published. */
export interface MadeImage {
  readonly renditions: readonly Rendition[];
  readonly image: ImageFacts;
  readonly reader: string;
}

/** A planned part that is not published, and why. */
export interface MissingPart {
  readonly name: string;
  readonly error: PublicError;
}

export interface ChunkRequest {
  readonly job: Job;
  readonly plan: VideoPlan;
  readonly chunk: Chunk;
  /** Names of rungs to encode. */
  readonly rungs: readonly string[];
  /** Whether this run also leaves the poster's and the storyboard's frames behind. */
  readonly stills: boolean;
  /** Somebody waits for its end in front of a player: it goes before all other work of its machine. */
  readonly viewerWaits?: boolean | undefined;
  /** Its deadline comes before its size: encoded faster, to files that are larger for the same picture. */
  readonly isHasty?: boolean | undefined;
  /** The least of it may come first, and the other rungs later, where deadlines of other videos are in danger. */
  readonly isDivisible?: boolean | undefined;
}

/** What a copy brought. */
export interface CopyResult extends ChunkResult {
  /** It did not fit: nothing of the copy is left, and the stored plan has this in its place, to be encoded. */
  readonly instead?: VideoRung | undefined;
}

/** What all steps of a video brought together; small however long the video is. */
export interface Made {
  /** Frames on the grid that there really are: the plan's number unless the source ended early. */
  readonly frames: number;
  readonly damagedFrames: number;
  /** Lowest sampled SSIM of each rung. */
  readonly quality: readonly RungQuality[];
  readonly audio: readonly EncodedAudio[];
  /** Names of the subtitle tracks that are there. */
  readonly subtitles: readonly string[];
  /** Poster and storyboard. */
  readonly pictures: readonly Rendition[];
  readonly missing: readonly MissingPart[];
}

export interface PublishRequest {
  readonly job: Job;
  readonly plan: VideoPlan;
  readonly startedAt: string;
  /** Of what is missing with `TO_FOLLOW`, everything in the store is left alone: it is being made. */
  readonly made: Made;
  /** What does not pass is withdrawn and named, instead of being reported to be made again. */
  readonly lastTry: boolean;
  /** Publishes the same generation again, after a repair. */
  readonly repair?: boolean | undefined;
  /** Names of the only parts that the repair is about: what else is at fault stays as it is published. Absent: all. */
  readonly mends?: readonly string[] | undefined;
}

/** What a target is given: references, never bytes. */
export interface DeliveryRequest {
  readonly assetId: string;
  readonly generation: number;
  readonly tenant: string;
  /** Name of a configured target. */
  readonly target: string;
  /** ISO 8601. Least slack goes first to a ready publisher. */
  readonly publishBy?: string | undefined;
  /** Id of a `Reservation`: the publisher that was promised, where it is still there. */
  readonly reservation?: string | undefined;
}

/** Asks for a publisher before encoding begins. Both times count from the answer. */
export interface ReservationRequest {
  /** Who asks again with the same id gets the same publisher. */
  readonly id: string;
  /** Name of a configured target. */
  readonly target: string;
  /** Seconds until the encode is expected to end. */
  readonly encodeSeconds: number;
  /** Seconds until it must be delivered. */
  readonly timeoutSeconds: number;
}

/** A publisher will be ready in time. */
export interface Reservation {
  readonly id: string;
  /** Task queue of the process that keeps the promise. While it lives, `deliver` is to go there. */
  readonly queue: string;
}

export interface Delivered {
  readonly target: string;
  /** ISO 8601. When the target had answered. */
  readonly at: string;
  /** Seconds that it waited for a ready publisher. */
  readonly waitedSeconds: number;
}

/** Task queue `publish`. */
export interface PublishActivities {
  /** Verifies against the plan, writes playlists, manifest and `asset.json`, switches the asset's generation. */
  publishMedia(request: PublishRequest): Promise<PublishOutcome>;
  /** Hands a published asset to a target, by a publisher that is kept ready where starting one takes time. */
  deliver(request: DeliveryRequest): Promise<Delivered>;
}

/** Task queue `publish` too. */
export interface ReservationActivities {
  /** Waits until a publisher is sure to be ready by then, and promises it; of several that wait, the least slack first. */
  reservePublisher(request: ReservationRequest): Promise<Reservation>;
  /** Gives back what was promised. Nothing happens where nothing is. */
  releasePublisher(request: Pick<ReservationRequest, 'id' | 'target'>): Promise<void>;
}

/** A part of the result that is not as planned. */
export interface Finding {
  /** Rung, audio track, subtitle track. */
  readonly name: string;
  /** A sentence. */
  readonly problem: string;
  /** Segments to make again; absent: all of them. At most 100 runs. */
  readonly segments?: readonly Chunk[] | undefined;
}

export interface PublishResult {
  readonly state: 'ready' | 'partial';
  readonly kind: MediaKind;
  /** Names. */
  readonly renditions: readonly string[];
  readonly missing: readonly MissingPart[];
  /** What it is to be delivered to. Absent: nothing. */
  readonly targets?: readonly WantedTarget[] | undefined;
}

/** A published asset to look over again. */
export interface RepairRequest {
  readonly assetId: string;
  /** The published one. */
  readonly generation: number;
  readonly tenant: string;
  /** Names of the only renditions that may be made again; absent: all. */
  readonly renditions?: readonly string[] | undefined;
}

/** What is kept of an asset beside its outputs. */
export interface StoredPlan {
  /** Without the uploader's metadata. */
  readonly job: Job;
  readonly plan: VideoPlan;
  /** ISO 8601. */
  readonly startedAt: string;
  /** What the steps had brought when it was published. */
  readonly made: Made;
}

export type PublishOutcome =
  | ({ readonly outcome: 'published' } & PublishResult)
  /** Nothing was published. The objects at fault have been removed: encode those segments again. */
  | { readonly outcome: 'faulty'; readonly findings: readonly Finding[] };

export interface EndRequest {
  readonly job: Job;
  readonly kind: MediaKind | null;
  readonly state: 'failed' | 'cancelled';
  readonly error: PublicError;
  readonly startedAt: string;
}

/** Task queue `video`; `encodeChunk` and `previewAudio` on `video-urgent` too. */
export interface VideoActivities {
  /** Decides from the bytes what the object is and plans it. Stores `plan.json`, marks the asset `processing`. */
  inspectMedia(job: Job): Promise<Inspection>;
  /** Finds out the checksum of the upload, so that later ones of the same bytes need not be made. */
  hashSource(job: Job): Promise<void>;
  /**
   * Encodes rungs of one chunk from one decode and stores each finished segment at once. What the store
   * already has stays: a retry starts at the first missing segment, and the first writer of a segment wins.
   */
  encodeChunk(request: ChunkRequest): Promise<ChunkResult>;
  /** Makes a whole rung of the source's own frames, without encoding. */
  copyRung(job: Job, plan: VideoPlan, rung: string): Promise<CopyResult>;
  /** Measures the loudness of one track, then encodes it in one continuous pass with one gain. */
  encodeAudio(job: Job, plan: VideoPlan, track: AudioTrack): Promise<EncodedAudio>;
  /** Segments of a track as it is, cut to the audio grid, to be heard until the real ones are there. */
  previewAudio(job: Job, plan: VideoPlan, track: AudioTrack, chunk: Chunk): Promise<void>;
  /** Text subtitles to WebVTT. Returns the names of the tracks that could be made. */
  makeSubtitles(job: Job, plan: VideoPlan): Promise<string[]>;
  /** An animated image as a silent video. */
  makeLoop(job: Job, loop: LoopPlan): Promise<Rendition>;
}

/** Task queue `image`. */
export interface ImageActivities {
  /** The whole way of an image: inspect, plan, make all variants, store, publish. */
  makeImage(job: Job, startedAt: string): Promise<ImageOutcome>;
  /** The last step of an animation, with its loops; what is missing of them is named and makes it `partial`. */
  publishImage(
    job: Job,
    startedAt: string,
    made: MadeImage,
    missing: readonly MissingPart[],
  ): Promise<ImageOutcome & { readonly outcome: 'ready' }>;
  /** Chooses the best of the frames that the chunks left in the store and makes the poster's pictures of it. */
  makePoster(job: Job, plan: VideoPlan): Promise<Rendition[]>;
  /** Assembles sprite sheets and their WebVTT from the tiles that the chunks left in the store. */
  makeStoryboard(job: Job, plan: VideoPlan): Promise<Rendition[]>;
}

/** Task queue `media`. */
export interface MediaActivities {
  /** Waits until another asset of the same bytes has ended; publishes what it did. @param startedAt ISO 8601 */
  awaitTwin(job: Job, sha256: string, startedAt: string): Promise<TwinOutcome>;
  /** The first segment can be watched: state and event. */
  announcePlayable(job: Job, kind: MediaKind): Promise<void>;
  /** Writes down what is to be expected of the asset's deadline, tells of it on the results topic, and counts it. */
  announceDeadline(job: Job, report: DeadlineReport): Promise<void>;
  /**
   * Reads back how a published asset was planned and made.
   *
   * @throws MediaError OBJECT_GONE when this generation is not published
   */
  loadPlan(asset: Pick<RepairRequest, 'assetId' | 'generation'>): Promise<StoredPlan>;
  /** Writes down that an asset failed or was cancelled, for its uploader and for other services. */
  recordEnd(request: EndRequest): Promise<void>;
  /** Compensation: removes every object of the job's generation and unfinished uploads. Idempotent. */
  discardOutputs(job: Job): Promise<void>;
}
