/** What can be done to an asset beside reading and describing it: one file each in this folder. */
import type { AssetRow } from '../../catalogue/catalogue.js';
import type { Priority } from '../../contracts/assets.js';
import type { Caller } from '../caller.js';
import type { ApiContext } from '../context.js';

/** From `If-Match`: what the caller has seen. Absent: whatever it is. */
export interface Condition {
  readonly revision?: number | undefined;
}

/**
 * `delete-asset.ts`, `deleteAsset`. Again: the same row, nothing is done twice.
 *
 * @returns the row as it is afterwards
 * @throws ApiProblem `asset-unknown` (also of other tenants), `precondition-failed`, `legal-hold`
 */
export type DeleteAsset = (
  ctx: ApiContext,
  caller: Caller,
  assetId: string,
  condition?: Condition,
) => Promise<AssetRow>;

/**
 * `cancel-asset.ts`, `cancelAsset`. Of one that has ended: the row as it is.
 *
 * @returns the row; its state follows when the workflow has stopped its steps
 * @throws ApiProblem `asset-unknown`, `asset-deleted`, `unavailable` while Temporal is away
 */
export type CancelAsset = (ctx: ApiContext, caller: Caller, assetId: string) => Promise<AssetRow>;

export interface ReprocessWish {
  /** Default: the asset's own. */
  readonly profile?: string | undefined;
  /** Makes these again in the published generation, instead of a new one. */
  readonly renditions?: readonly string[] | undefined;
  readonly priority?: Priority | undefined;
}

/**
 * `reprocess-asset.ts`, `reprocessAsset`.
 *
 * @returns the row as it is afterwards
 * @throws ApiProblem `asset-unknown`, `asset-deleted`, `precondition-failed`, `invalid-request` (no such profile or
 *   rendition), `conflict` (work is under way, or the source was removed), `unavailable`
 */
export type ReprocessAsset = (
  ctx: ApiContext,
  caller: Caller,
  assetId: string,
  wish: ReprocessWish,
  condition?: Condition,
) => Promise<AssetRow>;
