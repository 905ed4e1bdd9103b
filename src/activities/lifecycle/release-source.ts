/** A raw upload that has been kept for long enough. */
import { giveUpSource, limitsOf } from '../../catalogue/retention.js';
import type { AssetState, Job } from '../../contracts/assets.js';
import type { ActivityContext } from '../context.js';
import { assertAlive, type ActivityScope } from '../scope.js';
import { removeSource } from './remove-source.js';

type Needs = Pick<ActivityContext, 'config' | 'store' | 'db'>;

/** @returns false when it has to stay */
export async function releaseSource(
  context: Needs,
  scope: Pick<ActivityScope, 'signal'>,
  assetId: string,
): Promise<boolean> {
  assertAlive();
  const row = await giveUpSource(context.db, assetId);
  if (!row) return false;
  await removeSource(context, scope, row);
  return true;
}

/** For those who want it gone as soon as their asset is ready. What fails now, the housekeeping does. */
export async function releaseAtOnce(
  context: Needs,
  { signal, logger }: Pick<ActivityScope, 'signal' | 'logger'>,
  { assetId, tenant, profile }: Job,
  state: AssetState,
): Promise<void> {
  if (state !== 'ready') return;
  try {
    const { rawDays } = await limitsOf(context.db, context.config.retention, tenant, profile);
    if (rawDays === 0) await releaseSource(context, { signal }, assetId);
  } catch (error) {
    if (signal.aborted) throw error;
    logger.warn('its raw upload is removed later', { assetId, error });
  }
}
