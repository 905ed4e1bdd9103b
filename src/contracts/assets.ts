/** Assets: one per upload, and what is known of them outside. */
import type { PublicError } from './errors.js';
import type { ImageFacts } from './image.js';
import type { Rendition } from './renditions.js';

export type MediaKind = 'video' | 'audio' | 'image';

export const ASSET_STATES = [
  ...(['received', 'processing', 'playable', 'ready'] as const),
  ...(['partial', 'failed', 'cancelled', 'deleted'] as const),
] as const;
export type AssetState = (typeof ASSET_STATES)[number];

/** States after which nothing happens by itself. */
export const FINAL_STATES: readonly AssetState[] = ['ready', 'partial', 'failed', 'cancelled', 'deleted'];

export interface SourceRef {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly etag?: string | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
  /** As the uploader says: a hint. */
  readonly contentType?: string | undefined;
  /** Of the bytes, 64 hexadecimal digits, where it was computed on their way in. */
  readonly sha256?: string | undefined;
}

/** Temporal's priority: 1 is the most urgent, 5 the least, 3 the default. */
export type Priority = 1 | 2 | 3 | 4 | 5;

/** One job: what a starter hands to a workflow and the workflow to its activities. Facts and references only. */
export interface Job {
  readonly assetId: string;
  readonly workflowId: string;
  /** Outputs live under `assets/<assetId>/g<generation>/`. Starts at 1. */
  readonly generation: number;
  readonly source: SourceRef;
  readonly tenant: string;
  readonly profile: string;
  readonly priority: Priority;
  /** ISO 8601. When the store says that the object was written; else when the event came. */
  readonly uploadedAt: string;
  /** Set when the first guess between video and image was wrong: there is no second correction. */
  readonly corrected?: true | undefined;
  /** ISO 8601. When the uploader needs it published, where it said so. */
  readonly publishBy?: string | undefined;
  /** Seconds from the start of encoding within which it is needed. With `publishBy`: whichever comes first. */
  readonly publicationTimeout?: number | undefined;
  /** ISO 8601. An embargo: nobody sees anything of it before. */
  readonly publishNotBefore?: string | undefined;
  /** Free facts of the uploader, strings only, at most 4 KB together. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface Timings {
  readonly uploadedAt: string;
  readonly startedAt: string;
  readonly playableAt?: string | undefined;
  readonly readyAt?: string | undefined;
}

/** `asset.json`, and what `mediamill submit --json` and `mediamill show --json` print. */
export interface AssetDocument {
  readonly id: string;
  readonly workflowId: string;
  readonly kind: MediaKind | null;
  readonly state: AssetState;
  readonly source: SourceRef;
  readonly renditions: readonly RenditionDocument[];
  /** Where these are below the media bucket, when another asset of the same bytes made them. Ends with a slash. */
  readonly outputsPrefix?: string | undefined;
  readonly playback: {
    readonly hls?: string | undefined;
    readonly dash?: string | undefined;
    readonly poster?: string | undefined;
    /** WebVTT thumbnails. */
    readonly storyboard?: string | undefined;
  };
  /** Of an image. */
  readonly image?: ImageFacts | undefined;
  readonly error?: PublicError | undefined;
  /** Renditions that were planned and are not there, each with its reason. */
  readonly missing?: readonly { readonly name: string; readonly error: PublicError }[] | undefined;
  readonly timings: Timings;
  /** In `asset.json` alone: what the catalogue can be rebuilt from. */
  readonly catalogue?: CatalogueEntry | undefined;
}

/** What the catalogue knows of an asset beside its document: kept in `asset.json`, so that it can be rebuilt. */
export interface CatalogueEntry {
  readonly tenant: string;
  readonly profile: string;
  readonly priority: Priority;
  readonly title?: string | undefined;
  readonly fileName?: string | undefined;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType?: string | undefined;
  /** Of the upload. */
  readonly bytes?: number | undefined;
  readonly sourceSha256?: string | undefined;
  /** Bytes that need not be made again while it lives; absent where it stands for none. */
  readonly contents?: readonly ContentEntry[] | undefined;
  readonly apiKey?: string | undefined;
  readonly legalHold?: true | undefined;
  /** ISO 8601. */
  readonly publishBy?: string | undefined;
  readonly publishNotBefore?: string | undefined;
  readonly createdAt: string;
  readonly sourceRemovedAt?: string | undefined;
  /** Of the row that this was read from. */
  readonly revision: number;
  /** Oldest first; as a rule without the transition that the document itself tells of. */
  readonly history: readonly HistoryEntry[];
}

/** A tenant's upload of these bytes plays what the asset plays, where the same is to be made of them. */
export interface ContentEntry {
  /** Of the bytes, 64 hexadecimal digits. */
  readonly sha256: string;
  /** What is made of them: the asset's profile with a fingerprint of what it says. */
  readonly profile: string;
}

export interface HistoryEntry {
  /** ISO 8601. */
  readonly at: string;
  /** Absent of the first one. */
  readonly from?: AssetState | undefined;
  readonly to: AssetState;
  readonly generation: number;
  readonly by: string;
  readonly error?: PublicError | undefined;
}

/** A rendition as others see it: with a URL instead of an object key. */
export type RenditionDocument = Omit<Rendition, 'key'> & { readonly url: string };

/** Where everything of one generation of an asset lives in the media bucket. Ends with a slash. */
export function outputPrefix(assetId: string, generation: number): string {
  return `assets/${assetId}/g${generation}/`;
}

/** Where a generation is described: `asset.json`. */
export const documentKey = (assetId: string, generation: number): string =>
  `${outputPrefix(assetId, generation)}asset.json`;
