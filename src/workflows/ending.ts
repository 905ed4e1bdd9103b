/** How a workflow ends when it does not end well: what was begun is undone, what happened is written down. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  TimeoutFailure,
} from '@temporalio/workflow';

import type { MediaActivities } from '../contracts/activities.js';
import type { MediaKind } from '../contracts/assets.js';
import { ERRORS, isErrorCode, type ErrorCode, type PublicError } from '../contracts/errors.js';
import type { QueueNames } from '../contracts/names.js';
import { policies } from './policies.js';
import type { Story } from './story.js';

/** Steps that undo other steps, run last to first. Register one before the step that it undoes: a step may have worked though its report was lost. */
export class Compensations {
  private readonly steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.steps.reverse()) await step();
  }
}

/**
 * Undoes, records, and returns what the workflow is to throw: the cancellation itself, or a failure
 * that carries the public code. Runs where a cancel can't reach it.
 */
export async function endBadly(
  error: unknown,
  story: Story,
  kind: MediaKind | null,
  queues: QueueNames,
  compensations: Compensations,
): Promise<unknown> {
  const cancelled = isCancellation(error);
  const reason = publicErrorOf(error);
  const state = cancelled ? 'cancelled' : 'failed';
  await CancellationScope.nonCancellable(async () => {
    await compensations.run();
    const { recordEnd } = proxyActivities<MediaActivities>(policies.end(story.job, story.priority, queues, `record: ${state}`));
    await recordEnd({ job: story.job, kind, state, error: reason, startedAt: story.startedAt });
    story.end(state, reason);
  });
  if (cancelled) return error;
  return ApplicationFailure.create({ type: reason.code, message: reason.message, nonRetryable: true });
}

/** What the uploader is told of a failed step. */
export function publicErrorOf(error: unknown): PublicError {
  if (isCancellation(error)) return sentence('CANCELLED');
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) return { code: cause.type, message: cause.message };
  // Only a bound that no attempt could keep within gets here: attempts that time out are retried.
  if (cause instanceof TimeoutFailure) return sentence('TOOL_STALLED');
  return sentence('INTERNAL');
}

const sentence = (code: ErrorCode): PublicError => ({ code, message: ERRORS[code].sentence });
