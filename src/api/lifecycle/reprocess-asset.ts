import { ServiceError } from '@temporalio/client';

import type { AssetRow } from '../../catalogue/catalogue.js';
import { beginGeneration, jobOf } from '../../catalogue/lifecycle.js';
import { repair } from '../../client/repair.js';
import { loadProfiles } from '../../config/profiles.js';
import { MediaError } from '../../contracts/errors.js';
import { mustAllow } from '../caller.js';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problems.js';
import { livingAsset } from './own-asset.js';
import { isRepairable, partsOf } from './repairable.js';
import type { Condition, ReprocessAsset, ReprocessWish } from './types.js';

/** Milliseconds. */
const DEADLINE = 4_000;
const TRY_AGAIN_SECONDS = 5;

export const reprocessAsset: ReprocessAsset = async (ctx, caller, assetId, wish, condition = {}) => {
  mustAllow(caller, 'write');
  const row = await livingAsset(ctx, caller, assetId);
  checkProfile(ctx, wish);
  if (wish.renditions && wish.profile === undefined && isRepairable(row))
    return repairParts(ctx, row, wish.renditions, condition);
  await checkSource(ctx, row);
  const { tenant } = caller;
  const begun = await beginGeneration(ctx.db, assetId, 'reprocess', wish, { tenant, revision: condition.revision });
  switch (begun.outcome) {
    case 'unknown':
      throw new ApiProblem('asset-unknown');
    case 'changed':
      throw new ApiProblem('precondition-failed');
    case 'deleted':
      throw new ApiProblem('asset-deleted');
    case 'busy':
      throw new ApiProblem('conflict', { detail: `It is ${begun.row.state}: cancel it first, or wait.` });
    case 'sourceless':
      throw sourceless();
    case 'begun':
      ctx.wake();
      return begun.row;
  }
};

function checkProfile({ config }: Pick<ApiContext, 'config'>, { profile }: ReprocessWish): void {
  if (profile === undefined) return;
  try {
    loadProfiles(config.profiles.dir).get(profile);
  } catch (error) {
    if (!MediaError.is(error)) throw error;
    throw new ApiProblem('invalid-request', { detail: error.message });
  }
}

/** What is published stays, whatever comes of the next generation; still, one that can't work is better not begun. */
async function checkSource({ store }: Pick<ApiContext, 'store'>, row: AssetRow): Promise<void> {
  const { bucket, key, versionId, etag } = jobOf(row).source;
  try {
    const stat = await store.stat(bucket, key, { versionId });
    // Something else was written under its name.
    if (etag !== undefined && stat.etag !== etag.replaceAll('"', '')) throw sourceless();
  } catch (error) {
    if (MediaError.is(error) && error.code === 'OBJECT_MISSING') throw sourceless();
    throw error;
  }
}

const sourceless = (): ApiProblem => new ApiProblem('conflict', { detail: 'Its raw upload is not there any more.' });

/** In the generation that is published, and only what is missing or at fault. */
async function repairParts(
  { temporal, config, logger }: ApiContext,
  row: AssetRow,
  names: readonly string[],
  { revision }: Condition,
): Promise<AssetRow> {
  if (revision !== undefined && revision !== row.revision) throw new ApiProblem('precondition-failed');
  const parts = partsOf(row);
  const unknown = names.find((name) => !parts.has(name));
  if (unknown !== undefined) {
    const detail = `It has no rendition ${unknown}: ${[...parts.keys()].join(', ')}.`;
    throw new ApiProblem('invalid-request', { detail });
  }
  const { id: assetId, generation, tenant } = row;
  const renditions = names.length > 0 ? [...new Set(names.map((name) => parts.get(name)!))] : undefined;
  try {
    await temporal.withDeadline(Date.now() + DEADLINE, () =>
      repair(temporal, row.workflowId, { assetId, generation, tenant, renditions }, config.queues),
    );
    return row;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    logger.warn('not repaired: Temporal does not answer', { assetId, error });
    throw new ApiProblem('unavailable', { retryAfter: TRY_AGAIN_SECONDS });
  }
}
