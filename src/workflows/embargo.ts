/** What is made is held back until its time: by a durable timer, so that no worker has to be awake meanwhile. */
import { condition } from '@temporalio/workflow';

import { heldBackFor } from '../contracts/deadlines.js';
import type { Story } from './story.js';

/** Of a step that does little before the switch. Seconds. */
export const SHORT_LEAD = 2;

/** What verifying takes: all of it is read back before the switch. @param duration of the media, seconds */
export const leadOf = (duration: number): number => 15 + duration / 60;

/**
 * Waits until it is time to publish. Of a job without an embargo, nothing is written into the history.
 *
 * @param leadSeconds what the step that publishes does before the switch; it waits for the rest itself, to the second
 */
export async function embargo(story: Story, leadSeconds: number): Promise<void> {
  while (heldBack(story, leadSeconds) > 0) await change(story, leadSeconds, () => false);
}

/**
 * Waits until it may be seen.
 *
 * @returns false when what was waited with is over before that: nobody need be told any more that it can be
 */
export async function untilSeen(story: Story, isOver: () => boolean): Promise<boolean> {
  for (; heldBack(story, 0) > 0; await change(story, 0, isOver)) if (isOver()) return false;
  return true;
}

/** Milliseconds; 0 or less: it is time. */
const heldBack = (story: Story, leadSeconds: number): number =>
  heldBackFor(story.deadline.publishNotBefore, Date.now()) - leadSeconds * 1000;

async function change(story: Story, leadSeconds: number, isOver: () => boolean): Promise<void> {
  const before = story.deadline.publishNotBefore;
  await condition(() => story.deadline.publishNotBefore !== before || isOver(), heldBack(story, leadSeconds));
}
