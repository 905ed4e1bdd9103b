import { ContinueAsNew, isCancellation, log, makeContinueAsNewFunc, proxyActivities } from '@temporalio/workflow';

import type { Inspection, MediaActivities, PublishResult, VideoActivities } from '../contracts/activities.js';
import type { Job, MediaKind } from '../contracts/assets.js';
import { DEFAULT_QUEUES, WORKFLOW_TYPES, type QueueNames } from '../contracts/names.js';
import type { VideoPlan } from '../contracts/plan.js';
import type { ProcessSummary } from '../contracts/summary.js';
import { Chunks } from './chunks.js';
import { corrected } from './correction.js';
import { announceIfPast } from './deadline.js';
import { Compensations, endBadly } from './ending.js';
import { FirstLook } from './first-look.js';
import { InTime } from './in-time.js';
import { Later } from './later.js';
import { MediaMaker } from './media-maker.js';
import { Pacing } from './pacing.js';
import { Parts } from './parts.js';
import { policies, spare } from './policies.js';
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
  let inTime: InTime | undefined;

  try {
    story.deadline.keep();
    story.enter('inspecting');
    await announceIfPast(story);
    compensations.add(() => discard(story));
    const inspection = await inspected(story);
    if (inspection.outcome === 'image') return await continueAsImage(corrected(story), queues);
    kind = inspection.outcome === 'published' ? inspection.kind : inspection.plan.kind;
    if (inspection.outcome === 'published') {
      story.deliveries.begin(inspection.targets);
      return await summaryOf(story, inspection);
    }

    const studio = furnish(inspection.plan, story);
    const look = new FirstLook(studio, wanted);
    const maker = new MediaMaker(studio);
    const early = (inTime = new InTime(studio, maker));
    story.enter('encoding', kind);
    studio.pacing.begin(inspection.pace);
    await alongside(
      async () => void (await together([() => wanted.serve(studio, maker), () => studio.pacing.serve()])),
      () =>
        together([
          () => look.show(),
          () => early.make(look).then(() => look.end()),
          () => early.watch(),
          ...(inspection.unhashed ? [() => hash(story, look.settled)] : []),
        ]),
    );

    return await summaryOf(story, await inTime.finish());
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const published = await inTime?.leave(error);
    if (published) return summaryOf(story, published);
    throw await endBadly(error, story, kind, compensations);
  }
}

export function furnish(plan: VideoPlan, story: Story): Studio {
  const parts = new Parts(plan, story);
  const chunks = new Chunks(plan);
  story.planned(plan, chunks, (name) => parts.withdraw(name));
  const rooms = { steps: new Steps(story, plan), parts, chunks, quality: new Quality(), story, later: new Later() };
  return { ...rooms, pacing: new Pacing(rooms) };
}

async function summaryOf(story: Story, { kind, state, renditions, missing }: PublishResult): Promise<ProcessSummary> {
  await story.deliveries.over();
  story.end(state);
  return { assetId: story.job.assetId, kind, state, renditions, missing };
}

/** While another asset of the same bytes is being made, there is nothing to do: what comes of that one is this one's too. */
async function inspected(story: Story): Promise<Exclude<Inspection, { outcome: 'twin' }>> {
  const { job, setting } = story;
  for (;;) {
    const { inspectMedia } = proxyActivities<VideoActivities>(policies.inspect(setting));
    const inspection = await inspectMedia(job);
    if (inspection.outcome !== 'twin') return inspection;
    story.enter('waiting');
    const { awaitTwin } = proxyActivities<MediaActivities>(policies.light(setting, 'wait for the same bytes'));
    const twin = await awaitTwin(job, inspection.sha256, story.startedAt);
    if (twin.outcome === 'published') return twin;
    story.enter('inspecting');
  }
}

/** For uploads to come: this one does not need it. Not before somebody can watch. */
async function hash(story: Story, look: PromiseLike<void>): Promise<void> {
  await look;
  const { job, setting } = story;
  try {
    await proxyActivities<VideoActivities>(policies.encode(spare(setting), 'bulk', 0, 'checksum')).hashSource(job);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('no checksum', { error });
  }
}

function discard({ job, setting }: Story): Promise<void> {
  return proxyActivities<MediaActivities>(policies.end(setting, 'discard outputs')).discardOutputs(job);
}

/** The starter took the upload for a video by its name; its bytes say otherwise. */
const continueAsImage = makeContinueAsNewFunc<(job: Job, queues: QueueNames) => Promise<ProcessSummary>>({
  workflowType: WORKFLOW_TYPES.image,
});
