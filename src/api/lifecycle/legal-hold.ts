import type { AssetRow } from '../../catalogue/catalogue.js';
import { setHold } from '../../catalogue/lifecycle.js';
import { mustAllow, type Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { livingAsset } from './own-asset.js';

/**
 * An asset on hold is deleted by nobody and nothing, nor is its raw upload.
 *
 * @returns the row as it is afterwards
 * @throws ApiProblem `forbidden` without the scope `admin`, `asset-unknown`, `asset-deleted`
 */
export async function setLegalHold(
  ctx: Pick<ApiContext, 'catalogue' | 'db'>,
  caller: Caller,
  assetId: string,
  hold: boolean,
): Promise<AssetRow> {
  mustAllow(caller, 'admin');
  const row = await setHold(ctx.db, caller.tenant, assetId, hold);
  return row ?? livingAsset(ctx, caller, assetId);
}
