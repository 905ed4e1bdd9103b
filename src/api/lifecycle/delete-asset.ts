import { entomb } from '../../catalogue/lifecycle.js';
import { mustAllow } from '../caller.js';
import { ApiProblem } from '../problems.js';
import type { DeleteAsset } from './types.js';

export const deleteAsset: DeleteAsset = async (ctx, caller, assetId, condition = {}) => {
  mustAllow(caller, 'write');
  const { tenant } = caller;
  const deletion = await entomb(ctx.db, assetId, 'delete', { tenant, revision: condition.revision });
  switch (deletion.outcome) {
    case 'unknown':
      throw new ApiProblem('asset-unknown');
    case 'changed':
      throw new ApiProblem('precondition-failed');
    case 'held':
      throw new ApiProblem('legal-hold');
    case 'deleted':
      ctx.wake();
      return deletion.row;
  }
};
