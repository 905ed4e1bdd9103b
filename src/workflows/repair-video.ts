import { ActivityFailure, ApplicationFailure, isCancellation, proxyActivities } from '@temporalio/workflow';

import type { MediaActivities, MissingPart, RepairRequest } from '../contracts/activities.js';
import { DEFAULT_QUEUES, type QueueNames } from '../contracts/names.js';
import { POSTER, STORYBOARD } from '../contracts/plan.js';
import type { ProcessSummary } from '../contracts/summary.js';
import { publicErrorOf } from './ending.js';
import { MediaMaker } from './media-maker.js';
import { policies } from './policies.js';
import { furnish } from './process-video.js';
import { publish } from './publishing.js';
import { remake } from './remake.js';
import { Story } from './story.js';

/** Of a published asset: verify what the store holds, make only what is missing or at fault, publish the same generation again. */
export async function repairVideo(
  request: RepairRequest,
  queues: QueueNames = DEFAULT_QUEUES,
): Promise<ProcessSummary> {
  const { renditions } = request;
  const setting = { tenant: request.tenant, priority: 3, queues } as const;
  const { loadPlan } = proxyActivities<MediaActivities>(policies.light(setting, 'load the plan'));
  const { job, plan, startedAt, made } = await loadPlan(request);

  const story = new Story(job, queues);
  try {
    story.enter('verifying', plan.kind);
    const studio = furnish(plan, story);
    // What somebody cancelled stays away until it is asked for by its name, and so does what another workflow makes.
    const isWanted = ({ name, error }: MissingPart): boolean =>
      renditions ? renditions.includes(name) : error.code !== 'CANCELLED' && error.code !== 'TO_FOLLOW';
    for (const part of made.missing) if (!isWanted(part)) studio.parts.leave(part);
    studio.quality.add({ firstSegment: 0, segments: Infinity }, made.quality);
    const maker = new MediaMaker(studio, made);
    // Verification misses the rungs and tracks of a plan; pictures and subtitles only where they once were.
    const beside = [POSTER, STORYBOARD, ...plan.subtitles.map(({ name }) => name)];
    const unmade = made.missing.filter((part) => isWanted(part) && beside.includes(part.name));
    await remake(
      unmade.map(({ name, error }) => ({ name, problem: error.message })),
      maker,
      studio,
    );
    const published = await publish(maker, studio, { startedAt, repair: true, mends: renditions });
    await story.deliveries.over();
    story.end(published.state);
    const { state, kind, missing } = published;
    return { assetId: job.assetId, kind, state, renditions: published.renditions, missing };
  } catch (error) {
    // The asset stays published as it was: there is nothing to undo and no end to record.
    if (isCancellation(error)) throw error;
    const reason = publicErrorOf(error);
    story.end('failed', reason);
    throw error instanceof ActivityFailure
      ? ApplicationFailure.create({ type: reason.code, message: reason.message, nonRetryable: true })
      : error;
  }
}
