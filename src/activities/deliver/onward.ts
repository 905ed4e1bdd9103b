/** Where an asset goes when it is published. */
import type { PublishResult } from '../../contracts/activities.js';
import type { Job } from '../../contracts/assets.js';
import type { WantedTarget } from '../../contracts/targets.js';
import type { ActivityContext } from '../context.js';

type Needs = Pick<ActivityContext, 'profiles'>;

/** None where the profile is no more: what is published stays published. */
export function targetsOf({ profiles }: Needs, { profile }: Pick<Job, 'profile'>): readonly WantedTarget[] {
  return profiles.names.includes(profile) ? (profiles.get(profile).targets ?? []) : [];
}

/** While it is verified, publishers are made ready. */
export function expectDeliveries(context: Needs & Pick<ActivityContext, 'targets'>, job: Job): void {
  for (const { name } of targetsOf(context, job)) context.targets.get(name).expect(job.assetId, 0);
}

/** For the answer of a step that published: what its workflow has delivered then. */
export function onward(context: Needs, job: Job): Pick<PublishResult, 'targets'> {
  const targets = targetsOf(context, job);
  return targets.length > 0 ? { targets } : {};
}
