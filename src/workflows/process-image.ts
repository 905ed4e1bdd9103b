import { ContinueAsNew, makeContinueAsNewFunc, proxyActivities } from '@temporalio/workflow';

import type { ImageActivities, ImageOutcome, MediaActivities } from '../contracts/activities.js';
import type { Job } from '../contracts/assets.js';
import { DEFAULT_QUEUES, IMAGE_STAGE, WORKFLOW_TYPES, type QueueNames } from '../contracts/names.js';
import type { ProcessSummary } from '../contracts/summary.js';
import { finishAnimation } from './animation.js';
import { corrected } from './correction.js';
import { announceIfTight } from './deadline.js';
import { Compensations, endBadly } from './ending.js';
import { policies } from './policies.js';
import { Story } from './story.js';

/** One image: one activity makes and publishes everything, unless it moves and loops are to be made of it. */
export async function processImage(job: Job, queues: QueueNames = DEFAULT_QUEUES): Promise<ProcessSummary> {
  const story = new Story(job, queues);
  story.deadline.keep();
  const compensations = new Compensations();
  const { makeImage } = proxyActivities<ImageActivities>(policies.image(story.setting, 'make all variants'));
  const { discardOutputs } = proxyActivities<MediaActivities>(policies.end(story.setting, 'discard outputs'));

  try {
    story.begin(IMAGE_STAGE, 'image');
    story.deadline.encodingStarted(story.startedAt);
    await announceIfTight(story);
    compensations.add(() => discardOutputs(job));
    const made = await makeImage(job, story.startedAt);
    if (made.outcome === 'media') return await continueAsVideo(corrected(story), queues);
    return await summaryOf(story, made.outcome === 'animated' ? await finishAnimation(story, made) : made);
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    throw await endBadly(error, story, 'image', compensations);
  }
}

async function summaryOf(
  story: Story,
  { renditions, missing = [], targets }: ImageOutcome & { readonly outcome: 'ready' },
): Promise<ProcessSummary> {
  for (const { name } of renditions) story.part(name, 'done');
  story.deliveries.begin(targets);
  await story.deliveries.over();
  const state = missing.length > 0 ? 'partial' : 'ready';
  story.end(state);
  return { assetId: story.job.assetId, kind: 'image', state, renditions: renditions.map(({ name }) => name), missing };
}

/** The starter took the upload for an image by its name; its bytes say otherwise. */
const continueAsVideo = makeContinueAsNewFunc<(job: Job, queues: QueueNames) => Promise<ProcessSummary>>({
  workflowType: WORKFLOW_TYPES.video,
});
