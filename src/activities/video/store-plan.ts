import type { Job } from '../../contracts/assets.js';
import type { VideoPlan } from '../../contracts/plan.js';
import { planKey } from '../../media/video/layout.js';
import type { ActivityContext } from '../context.js';

/** For players, `verify` and `repair`. The uploader's own words are not for players. */
export async function storePlan(
  { config, store }: Pick<ActivityContext, 'config' | 'store'>,
  { metadata: _private, ...job }: Job,
  plan: VideoPlan,
  signal: AbortSignal,
): Promise<void> {
  const bytes = Buffer.from(JSON.stringify({ job, plan }));
  await store.putBytes(config.storage.mediaBucket, planKey(job), bytes, { contentType: 'application/json', signal });
}
