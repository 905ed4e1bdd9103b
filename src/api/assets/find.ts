/** One asset of the caller's, or nothing: what another tenant has is not there. */
import type { AssetRow } from '../../catalogue/catalogue.js';
import type { Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problems.js';

const ASSET_ID = /^[0-9a-f]{24}$/;

/**
 * Tombstones too.
 *
 * @throws ApiProblem `asset-unknown`
 */
export async function findAsset(
  { catalogue }: Pick<ApiContext, 'catalogue'>,
  { tenant }: Pick<Caller, 'tenant'>,
  assetId: string,
): Promise<AssetRow> {
  const row = ASSET_ID.test(assetId) ? await catalogue.find(assetId) : undefined;
  if (row?.tenant !== tenant) throw new ApiProblem('asset-unknown');
  return row;
}
