import { ContinueAsNew, makeContinueAsNewFunc, proxyActivities } from '@temporalio/workflow';

import type { MediaActivities, VideoActivities } from '../contracts/activities.js';
import type { Job, MediaKind } from '../contracts/assets.js';
import { DEFAULT_QUEUES, WORKFLOW_TYPES, type QueueNames } from '../contracts/names.js';
import type { ProcessSummary } from '../contracts/summary.js';
import { corrected } from './correction.js';
import { Compensations, endBadly } from './ending.js';
import { MediaMaker } from './media-maker.js';
import { policies } from './policies.js';
import { Story } from './story.js';

/** One video or sound: inspect, then make every part of the plan side by side, then verify and publish. */
export async function processVideo(job: Job, queues: QueueNames = DEFAULT_QUEUES): Promise<ProcessSummary> {
  const maker = new MediaMaker(queues);
  const story = new Story(job, (name) => maker.withdraw(name));
  const compensations = new Compensations();
  let kind: MediaKind | null = null;

  try {
    story.enter('inspecting');
    const { inspectMedia } = proxyActivities<VideoActivities>(policies.inspect(job, story.priority, queues));
    const inspection = await inspectMedia(job);
    if (inspection.outcome === 'image') return await continueAsImage(corrected(story), queues);
    const { plan } = inspection;
    kind = plan.kind;

    story.enter('encoding', kind);
    const { discardOutputs } = proxyActivities<MediaActivities>(
      policies.end(job, story.priority, queues, 'discard outputs'),
    );
    compensations.add(() => discardOutputs(job));
    const made = await maker.make(plan, story);

    story.enter('publishing');
    const { publishMedia } = proxyActivities<MediaActivities>(policies.publish(job, story.priority, queues));
    const published = await publishMedia({ job, plan, startedAt: story.startedAt, ...made });

    story.end(published.state);
    return {
      assetId: job.assetId,
      kind: published.kind,
      state: published.state,
      renditions: published.renditions.map(({ name }) => name),
      missing: made.missing,
    };
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    throw await endBadly(error, story, kind, queues, compensations);
  }
}

/** The starter took the upload for a video by its name; its bytes say otherwise. */
const continueAsImage = makeContinueAsNewFunc<(job: Job, queues: QueueNames) => Promise<ProcessSummary>>({
  workflowType: WORKFLOW_TYPES.image,
});
