/** The port to the catalogue: what is known of every asset, for ever. Adapter: `postgres.ts`. */
import type { AssetDocument, AssetState, Job, MediaKind, Priority } from '../contracts/assets.js';
import type { DeadlineState, Measure } from '../contracts/deadlines.js';
import type { PublicError } from '../contracts/errors.js';

export interface AssetRow {
  readonly id: string;
  readonly workflowId: string;
  readonly bucket: string;
  readonly key: string;
  readonly version: string;
  readonly tenant: string;
  readonly kind: MediaKind | null;
  readonly state: AssetState;
  /** The published generation; 0 while none is. */
  readonly generation: number;
  /** The latest generation that has begun: the one that `state` speaks of. */
  readonly begun: number;
  readonly error: PublicError | null;
  readonly document: AssetDocument | null;
  readonly title: string | null;
  /** As the uploader named it; else the last part of the object's key. */
  readonly fileName: string | null;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly profile: string;
  readonly priority: Priority;
  /** Of the upload. */
  readonly bytes: number | null;
  /** Seconds, of what is published. */
  readonly duration: number | null;
  /** As the uploader said. */
  readonly contentType: string | null;
  /** The latest one, as its workflow was given it. */
  readonly job: Job | null;
  /** Id of the API key that uploaded it. */
  readonly apiKey: string | null;
  readonly legalHold: boolean;
  /** Of the uploaded bytes, where it is known. */
  readonly sourceSha256: string | null;
  /** Where the published generation lives below the media bucket; ends with a slash. Its own place unless an asset of the same bytes was there first. */
  readonly outputsPrefix: string | null;
  /** Counts every change of the row. */
  readonly revision: number;
  /** When the last object of a deleted asset was gone. */
  readonly purgedAt: Date | null;
  readonly sourceRemovedAt: Date | null;
  /** When it is needed; of a timeout that counts from the start of encoding, null until that starts. */
  readonly publishBy: Date | null;
  /** An embargo: nobody sees anything of it before. */
  readonly publishNotBefore: Date | null;
  /** Of any generation. */
  readonly firstPublishedAt: Date | null;
  readonly deadlineState: DeadlineState | null;
  /** When it will be published as far as one knows; of `met` and `missed`, when it was. */
  readonly projectedAt: Date | null;
  /** What was done to be in time. */
  readonly measures: readonly Measure[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What an uploader says of an asset, and what was found out about its bytes on their way in. */
export interface AssetFacts {
  readonly title?: string | undefined;
  readonly fileName?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly profile?: string | undefined;
  readonly priority?: Priority | undefined;
  readonly bytes?: number | undefined;
  readonly contentType?: string | undefined;
  readonly sourceSha256?: string | undefined;
  readonly apiKey?: string | undefined;
}

export interface HistoryRow {
  readonly at: Date;
  readonly from: AssetState | null;
  readonly to: AssetState;
  readonly generation: number;
  /** Which step wrote it: an activity's name. */
  readonly by: string;
  readonly error: PublicError | null;
}

export interface Transition {
  readonly to: AssetState;
  readonly by: string;
  readonly kind?: MediaKind | null | undefined;
  readonly error?: PublicError | undefined;
  readonly document?: AssetDocument | undefined;
  /** Written whatever becomes of the transition, unless the asset is deleted. */
  readonly facts?: AssetFacts | undefined;
  /** `CatalogueEntry.revision` of the `asset.json` that was written for it: where the row has changed since, it is written again. */
  readonly writtenFrom?: number | undefined;
}

export interface Publication extends Transition {
  readonly document: AssetDocument;
  readonly repair?: boolean | undefined;
  /** Where its outputs are, when not in the job's own place: those of an asset of the same bytes. Ends with a slash. */
  readonly outputsPrefix?: string | undefined;
}

/** A published image that looks like another. */
export interface SimilarAsset {
  readonly asset: AssetRow;
  /** Bits in which their perceptual hashes differ, 0-64. */
  readonly distance: number;
}

/** A file on which decoders gave way, and what everybody who uploads the same bytes is told. */
export interface QuarantineRow {
  /** Of the bytes, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly verdict: PublicError;
  /** Whose upload it was found in. */
  readonly assetId: string;
  readonly tenant: string;
  readonly since: Date;
}

/** Errors: CATALOGUE_UNAVAILABLE for everything that another try can mend. */
export interface Catalogue {
  /**
   * Writes a transition and its history line in one transaction; makes the row when there is none.
   * Idempotent: the same transition again returns true and leaves one history line, so that a retry
   * whose first answer got lost goes on as if it had arrived. Returns false, and changes nothing, when
   * the asset is deleted, when a later generation has begun, when this generation has already ended
   * otherwise, or when it is already further on. The rules: `transitions.ts`.
   */
  transition(job: Job, transition: Transition): Promise<boolean>;
  /**
   * The atomic switch: like `transition`, and the asset's published generation becomes the job's, with
   * this document. Of several attempts of one generation the first one's document stays, unless it is a
   * repair: that replaces the document of the generation that is published, `ready` or `partial`, and is
   * refused everywhere else. The same repair again leaves one history line.
   */
  publish(job: Job, transition: Publication): Promise<boolean>;
  find(assetId: string): Promise<AssetRow | undefined>;
  findByWorkflow(workflowId: string): Promise<AssetRow | undefined>;
  list(options: { limit: number; state?: AssetState | undefined; tenant?: string | undefined }): Promise<AssetRow[]>;
  history(assetId: string): Promise<HistoryRow[]>;
  /** What a tenant has published of these very bytes, newest first. */
  findBySha256(tenant: string, sha256: string, limit: number): Promise<AssetRow[]>;
  /**
   * A tenant's published images that look alike, nearest first.
   *
   * @param hash `ImageTraits.perceptualHash`
   * @param maxDistance bits, 0-64
   */
  findSimilar(tenant: string, hash: string, maxDistance: number, limit: number): Promise<SimilarAsset[]>;
  /** The first verdict stays: the same bytes always get the same. */
  quarantine(job: Pick<Job, 'assetId' | 'tenant'>, sha256: string, verdict: PublicError): Promise<void>;
  quarantined(sha256: string): Promise<QuarantineRow | undefined>;
  /** Newest first. */
  listQuarantine(limit: number): Promise<QuarantineRow[]>;
  /** @returns false when it was not there */
  liftQuarantine(sha256: string): Promise<boolean>;
  close(): Promise<void>;
}
