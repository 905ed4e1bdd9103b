import { ServiceError, WorkflowNotFoundError } from '@temporalio/client';

import { cancelUnstarted } from '../../catalogue/lifecycle.js';
import { FINAL_STATES } from '../../contracts/assets.js';
import { ERRORS } from '../../contracts/errors.js';
import { mustAllow } from '../caller.js';
import { ApiProblem } from '../problems.js';
import { livingAsset } from './own-asset.js';
import type { CancelAsset } from './types.js';

/** Milliseconds. */
const DEADLINE = 4_000;
const TRY_AGAIN_SECONDS = 5;

export const cancelAsset: CancelAsset = async (ctx, caller, assetId) => {
  mustAllow(caller, 'write');
  const row = await livingAsset(ctx, caller, assetId);
  if (FINAL_STATES.includes(row.state)) return row;
  const { temporal, logger } = ctx;
  try {
    const handle = temporal.workflow.getHandle(row.workflowId);
    await temporal.withDeadline(Date.now() + DEADLINE, () => handle.cancel());
    return row;
  } catch (error) {
    if (error instanceof ServiceError) {
      // Only Temporal knows whether somebody works on it.
      logger.warn('not cancelled: Temporal does not answer', { assetId, error });
      throw new ApiProblem('unavailable', { retryAfter: TRY_AGAIN_SECONDS });
    }
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  // Its event is still on its way, or its workflow was ended without a word: nobody else writes its end.
  const cancelled = await cancelUnstarted(ctx.db, assetId, { code: 'CANCELLED', message: ERRORS.CANCELLED.sentence });
  if (cancelled.outcome === 'unknown') throw new ApiProblem('asset-unknown');
  return cancelled.row;
};
