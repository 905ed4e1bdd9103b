import type { AssetRow } from '../../catalogue/catalogue.js';
import type { Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problems.js';

/** @throws ApiProblem `asset-unknown`, also where it is another tenant's; `asset-deleted` */
export async function livingAsset(
  { catalogue }: Pick<ApiContext, 'catalogue'>,
  { tenant }: Pick<Caller, 'tenant'>,
  assetId: string,
): Promise<AssetRow> {
  const row = await catalogue.find(assetId);
  if (row?.tenant !== tenant) throw new ApiProblem('asset-unknown');
  if (row.state === 'deleted') throw new ApiProblem('asset-deleted');
  return row;
}
