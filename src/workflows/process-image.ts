import { ContinueAsNew, makeContinueAsNewFunc, proxyActivities } from '@temporalio/workflow';

import type { ImageActivities, MediaActivities } from '../contracts/activities.js';
import type { Job } from '../contracts/assets.js';
import { DEFAULT_QUEUES, WORKFLOW_TYPES, type QueueNames } from '../contracts/names.js';
import type { ProcessSummary } from '../contracts/summary.js';
import { corrected } from './correction.js';
import { Compensations, endBadly } from './ending.js';
import { policies } from './policies.js';
import { Story } from './story.js';

/** One image: one activity makes and publishes everything. */
export async function processImage(job: Job, queues: QueueNames = DEFAULT_QUEUES): Promise<ProcessSummary> {
  const story = new Story(job, queues);
  const compensations = new Compensations();
  const { makeImage } = proxyActivities<ImageActivities>(policies.image(story.setting, 'make all variants'));
  const { discardOutputs } = proxyActivities<MediaActivities>(policies.end(story.setting, 'discard outputs'));

  try {
    story.enter('making', 'image');
    compensations.add(() => discardOutputs(job));
    const made = await makeImage(job, story.startedAt);
    if (made.outcome === 'media') return await continueAsVideo(corrected(story), queues);

    for (const { name } of made.renditions) story.part(name, 'done');
    story.end('ready');
    return {
      assetId: job.assetId,
      kind: 'image',
      state: 'ready',
      renditions: made.renditions.map(({ name }) => name),
      missing: [],
    };
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    throw await endBadly(error, story, 'image', compensations);
  }
}

/** The starter took the upload for an image by its name; its bytes say otherwise. */
const continueAsVideo = makeContinueAsNewFunc<(job: Job, queues: QueueNames) => Promise<ProcessSummary>>({
  workflowType: WORKFLOW_TYPES.video,
});
