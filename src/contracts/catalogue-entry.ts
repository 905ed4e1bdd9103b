/** What the catalogue knows of an asset beside its document: kept in `asset.json`, so that it can be rebuilt. */
import type { AssetState, Priority } from './assets.js';
import type { PublicError } from './errors.js';

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
  readonly apiKey?: string | undefined;
  readonly legalHold?: true | undefined;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly sourceRemovedAt?: string | undefined;
  /** Of the row that this was read from. */
  readonly revision: number;
  /** Oldest first; as a rule without the transition that the document itself tells of. */
  readonly history: readonly HistoryEntry[];
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
