/** Verifies what the store holds, has what is at fault made again once, and publishes. */
import { ApplicationFailure } from '@temporalio/workflow';

import type { Finding, MissingPart, PublishResult } from '../contracts/activities.js';
import { ERRORS } from '../contracts/errors.js';
import { embargo, leadOf } from './embargo.js';
import type { MediaMaker } from './media-maker.js';
import type { Studio } from './studio.js';
import { remake } from './remake.js';

interface How {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly repair?: true | undefined;
  /** Names of the only parts that may be made again or withdrawn. Absent: all. */
  readonly mends?: readonly string[] | undefined;
  /** What is not made yet is left for later, and named. */
  readonly isEarly?: true | undefined;
}

export async function publish(
  maker: MediaMaker,
  studio: Studio,
  { startedAt, repair, mends, isEarly }: How,
): Promise<PublishResult> {
  const { story, steps } = studio;
  const ask = (lastTry: boolean) => {
    story.enter('publishing');
    const { made } = maker;
    const missing = isEarly ? [...made.missing, ...story.unfinished.map(toFollow)] : made.missing;
    return steps.publish(startedAt, { ...made, missing }, { lastTry, repair, mends });
  };
  await embargo(story, leadOf(steps.plan.facts.duration));
  let outcome = await ask(false);
  if (outcome.outcome === 'faulty') {
    story.enter('mending');
    const isAtIssue = ({ name }: Finding): boolean => mends?.includes(name) ?? true;
    await remake(outcome.findings.filter(isAtIssue), maker, studio);
    outcome = await ask(true);
  }
  if (outcome.outcome === 'faulty') throw ApplicationFailure.nonRetryable(ERRORS.INTERNAL.sentence, 'INTERNAL');
  const { rungs, audio, subtitles } = steps.plan;
  for (const name of studio.parts.left([...rungs, ...audio, ...subtitles])) {
    const error = outcome.missing.find((part) => part.name === name)?.error;
    if (error?.code !== 'TO_FOLLOW') story.part(name, error ? 'failed' : 'done', error);
  }
  return outcome;
}

const toFollow = (name: string): MissingPart => ({
  name,
  error: { code: 'TO_FOLLOW', message: ERRORS.TO_FOLLOW.sentence },
});
