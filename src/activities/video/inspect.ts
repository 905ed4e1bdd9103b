/** From an upload to a plan: what the bytes are, and what will be made of them. */
import type { Inspection } from '../../contracts/activities.js';
import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { Pace } from '../../contracts/pace.js';
import type { VideoPlan } from '../../contracts/plan.js';
import { sniff } from '../../media/sniff.js';
import { publishedBefore } from '../announce.js';
import { beginWork } from '../begin-work.js';
import type { ActivityContext } from '../context.js';
import { onward } from '../deliver/onward.js';
import { resultOf } from '../publish/document.js';
import { activity, type ActivityScope } from '../scope.js';
import { readSourceHead, statSource } from './movie-source.js';
import { knownSha256, twinOf } from './twin.js';
import { declareDemand, isInDanger } from './contention.js';
import { hasDeadline, paceOf } from './pace.js';
import { planSource } from './plan-source.js';
import { probeMovie, probeWhole } from './probe-source.js';
import { storePlan } from './store-plan.js';

export function createInspectMedia(context: ActivityContext) {
  return activity(context.logger, async (scope, job: Job): Promise<Inspection> => {
    if (job.source.key.endsWith('/')) throw new MediaError('OBJECT_IS_DIRECTORY');
    const profile = context.profiles.get(job.profile);
    const before = await publishedBefore(context, job);
    if (before) return { outcome: 'published', ...resultOf(before), ...onward(context, job) };
    const { bytes } = await statSource(context, job.source, scope.signal);
    const { kind } = await sniff(await readSourceHead(context, job.source, scope.signal));
    if (kind === 'image') return { outcome: 'image' };
    // From here on others that come with the same bytes can see it. What it is will be said when that is known.
    await beginWork(
      context,
      job,
      { to: 'processing', by: scope.info.activityType, facts: { bytes } },
      { isSilent: true },
    );
    const sha256 = await knownSha256(context, scope, job, bytes);
    const twin = sha256 === undefined ? undefined : await twinOf(context, scope, job, sha256);
    if (twin) return twin;
    const facts = (await probeMovie(context, scope, job, bytes)) ?? (await probeWhole(context, scope, job));
    const plan = await planSource(context, scope, job, { facts, profile, bytes });
    await storePlan(context, job, plan, scope.signal);
    await beginWork(context, job, { to: 'processing', by: scope.info.activityType, kind: plan.kind });
    const pace = hasDeadline(job) && { pace: await paceFor(context, scope, job, plan) };
    scope.logger.info('media inspected', { assetId: job.assetId, facts });
    return { outcome: 'media', plan, ...(sha256 === undefined && { unhashed: true }), ...pace };
  });
}

/** What is known of the machines, and of what others need of them, once they know what this one needs. */
async function paceFor(context: ActivityContext, scope: ActivityScope, job: Job, plan: VideoPlan): Promise<Pace> {
  await declareDemand(context, job, plan);
  const pace = await paceOf(context, scope);
  return { ...pace, isContended: await isInDanger(context, job, pace) };
}
