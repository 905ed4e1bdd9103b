/** The port to the catalogue: what is known of every asset, for ever. Adapter: `postgres.ts`. */
import type { AssetDocument, AssetState, Job, MediaKind } from '../contracts/assets.js';
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
  readonly createdAt: Date;
  readonly updatedAt: Date;
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
}

export interface Publication extends Transition {
  readonly document: AssetDocument;
  readonly repair?: boolean | undefined;
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
