import { ContinueAsNew, makeContinueAsNewFunc, proxyActivities } from '@temporalio/workflow';

import type { Inspection, MediaActivities, VideoActivities } from '../contracts/activities.js';
import type { Job, MediaKind } from '../contracts/assets.js';
import { DEFAULT_QUEUES, WORKFLOW_TYPES, type QueueNames } from '../contracts/names.js';
import type { VideoPlan } from '../contracts/plan.js';
import type { ProcessSummary } from '../contracts/summary.js';
import { Chunks } from './chunks.js';
import { corrected } from './correction.js';
import { Compensations, endBadly } from './ending.js';
import { FirstLook } from './first-look.js';
import { MediaMaker } from './media-maker.js';
import { Parts } from './parts.js';
import { policies } from './policies.js';
import { publish } from './publishing.js';
import { Quality } from './quality.js';
import { Steps } from './steps.js';
import { Story } from './story.js';
import type { Studio } from './studio.js';
import { alongside, together } from './together.js';
import { Wanted } from './wanted.js';

/**
 * One video or sound: inspect; let it be watched as soon as its first segment is there; make every
 * part of the plan side by side, what viewers wait for first; then verify and publish.
 */
export async function processVideo(job: Job, queues: QueueNames = DEFAULT_QUEUES): Promise<ProcessSummary> {
  const story = new Story(job, queues);
  const wanted = new Wanted();
  const compensations = new Compensations();
  let kind: MediaKind | null = null;

  try {
    story.enter('inspecting');
    compensations.add(() => discard(story));
    const inspection = await inspect(story);
    if (inspection.outcome === 'image') return await continueAsImage(corrected(story), queues);
    kind = inspection.plan.kind;

    const studio = furnish(inspection.plan, story);
    const look = new FirstLook(studio, wanted);
    const maker = new MediaMaker(studio);
    story.enter('encoding', kind);
    await alongside(
      () => wanted.serve(studio, maker),
      () => together([() => look.show(), () => maker.make(look.settled)]),
    );

    const { state, renditions, missing } = await publish(maker, studio, { startedAt: story.startedAt });
    story.end(state);
    return { assetId: job.assetId, kind, state, renditions, missing };
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    throw await endBadly(error, story, kind, compensations);
  }
}

export function furnish(plan: VideoPlan, story: Story): Studio {
  const parts = new Parts(plan, story);
  const chunks = new Chunks(plan);
  story.planned(plan, chunks, (name) => parts.withdraw(name));
  return { steps: new Steps(story, plan), parts, chunks, quality: new Quality(), story };
}

function inspect({ job, setting }: Story): Promise<Inspection> {
  return proxyActivities<VideoActivities>(policies.inspect(setting)).inspectMedia(job);
}

function discard({ job, setting }: Story): Promise<void> {
  return proxyActivities<MediaActivities>(policies.end(setting, 'discard outputs')).discardOutputs(job);
}

/** The starter took the upload for a video by its name; its bytes say otherwise. */
const continueAsImage = makeContinueAsNewFunc<(job: Job, queues: QueueNames) => Promise<ProcessSummary>>({
  workflowType: WORKFLOW_TYPES.image,
});
