/** In what store and catalogue may differ. */
import type { ActivityContext } from '../context.js';

export type SurveyContext = Pick<ActivityContext, 'config' | 'store' | 'db'>;

export interface SurveyOptions {
  /** What is younger may be somebody's who has not said so yet. Seconds. */
  readonly minAgeSeconds: number;
  /** Also looks whether every single object is there that a published asset needs: a listing or more for each. */
  readonly deep?: boolean | undefined;
  readonly signal: AbortSignal;
}

export type Finding =
  /** Outputs that no asset plays or makes. */
  | { readonly what: 'outputs-without-row'; readonly prefix: string; readonly objects: number; readonly bytes: number }
  /** Objects beside what a generation that came to nothing may leave. */
  | { readonly what: 'left-overs'; readonly assetId: string; readonly keys: readonly string[] }
  /** An upload that no asset has, and that nobody was told of. */
  | { readonly what: 'upload-without-row'; readonly key: string; readonly versionId: string; readonly etag: string }
  /** An upload of which the catalogue says that it is gone, or that it was never to be. */
  | { readonly what: 'upload-unwanted'; readonly key: string; readonly versionId: string }
  /** Something in our bucket that no asset could have. Left alone. */
  | { readonly what: 'foreign'; readonly bucket: string; readonly key: string }
  /** A published asset that can not be played. `keys`: at most ten of what is missing; empty: all of it. */
  | { readonly what: 'row-without-outputs'; readonly assetId: string; readonly keys: readonly string[] }
  | { readonly what: 'row-without-source'; readonly assetId: string };
