import type { MissingPart } from './activities.js';
import type { MediaKind } from './assets.js';

/** Result of `processVideo` and `processImage`. The renditions themselves are described in `asset.json`. */
export interface ProcessSummary {
  readonly assetId: string;
  readonly kind: MediaKind;
  readonly state: 'ready' | 'partial';
  /** Names of what is published. */
  readonly renditions: readonly string[];
  readonly missing: readonly MissingPart[];
}
