/** What remains of an animation after its pictures: loops by those who encode video, then it is published. Of a picture that is held back, only the latter. */
import { proxyActivities } from '@temporalio/workflow';

import type { ImageActivities, ImageOutcome, VideoActivities } from '../contracts/activities.js';
import type { LoopPlan } from '../contracts/image.js';
import type { Rendition } from '../contracts/renditions.js';
import { embargo, SHORT_LEAD } from './embargo.js';
import { Parts } from './parts.js';
import { policies } from './policies.js';
import type { Story } from './story.js';
import { together } from './together.js';

/** Bounds the time of an encode: as long as the longest animation that anybody looks at. */
const LOOP_SECONDS = 60;

/** A loop that can't be made, or that somebody cancels, is named as missing: its pictures are there. */
export async function finishAnimation(
  story: Story,
  { made, loops }: ImageOutcome & { readonly outcome: 'animated' },
): Promise<ImageOutcome & { readonly outcome: 'ready' }> {
  const parts = new Parts({ rungs: [], audio: [] }, story);
  for (const { name } of made.renditions) story.part(name, 'done');
  story.expect(loops, (name) => parts.withdraw(name));
  story.enter('encoding');
  const done = await together(loops.map((loop) => () => parts.optional(loop.name, () => makeLoop(story, loop))));
  const renditions = [...made.renditions, ...done.flatMap((rendition) => rendition ?? [])];
  await embargo(story, SHORT_LEAD);
  story.enter('publishing');
  const { publishImage } = proxyActivities<ImageActivities>(policies.image(story.setting, 'publish'));
  return publishImage(story.job, story.startedAt, { ...made, renditions }, parts.missing);
}

function makeLoop({ job, setting }: Story, loop: LoopPlan): Promise<Rendition> {
  return proxyActivities<VideoActivities>(policies.encode(setting, 'early', LOOP_SECONDS, loop.name)).makeLoop(
    job,
    loop,
  );
}
