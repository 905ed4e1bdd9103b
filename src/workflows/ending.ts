/** How a workflow ends when it does not end well: what was begun is undone, what happened is written down. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  log,
  proxyActivities,
  TimeoutFailure,
} from '@temporalio/workflow';

import type { MediaActivities } from '../contracts/activities.js';
import type { MediaKind } from '../contracts/assets.js';
import { ERRORS, isErrorCode, type ErrorCode, type PublicError } from '../contracts/errors.js';
import { policies } from './policies.js';
import type { Story } from './story.js';

/** Steps that undo other steps, run last to first. Register one before the step that it undoes: a step may have worked though its report was lost. */
export class Compensations {
  private readonly steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.steps.push(step);
  }

  /** One that fails keeps none of the others from being run. */
  async run(): Promise<void> {
    for (const step of this.steps.reverse()) await orLog('compensation failed', step);
  }
}

/**
 * Undoes, records, and returns what the workflow is to throw: the cancellation itself, or a failure
 * that carries the public code. Runs where a cancel can't reach it. Must be called from the
 * workflow's own scope: a cancel that has reached it explains whatever the steps failed with (a
 * worker that died while it stopped its encoder, an attempt that failed and was not repeated).
 */
export async function endBadly(
  error: unknown,
  story: Story,
  kind: MediaKind | null,
  compensations: Compensations,
): Promise<unknown> {
  const cancelled = isCancellation(error) || CancellationScope.current().consideredCancelled;
  const reason = cancelled ? sentence('CANCELLED') : publicErrorOf(error);
  const state = cancelled ? 'cancelled' : 'failed';
  await CancellationScope.nonCancellable(async () => {
    await compensations.run();
    const { recordEnd } = proxyActivities<MediaActivities>(policies.end(story.setting, `record: ${state}`));
    await orLog('end not recorded', () =>
      recordEnd({ job: story.job, kind, state, error: reason, startedAt: story.startedAt }),
    );
    story.end(state, reason);
  });
  if (cancelled) return isCancellation(error) ? error : new CancelledFailure(reason.message);
  return ApplicationFailure.create({ type: reason.code, message: reason.message, nonRetryable: true });
}

/** What ends a workflow is why it ended, not what went wrong in tidying up; that is for the log and the history. */
async function orLog(message: string, step: () => Promise<unknown>): Promise<void> {
  try {
    await step();
  } catch (error) {
    log.error(message, { error });
  }
}

/** What the uploader is told of a failed step. */
export function publicErrorOf(error: unknown): PublicError {
  if (isCancellation(error)) return sentence('CANCELLED');
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type))
    return { code: cause.type, message: cause.message };
  // Only a bound that no attempt could keep within gets here: attempts that time out are retried.
  if (cause instanceof TimeoutFailure) return sentence('TOOL_STALLED');
  return sentence('INTERNAL');
}

const sentence = (code: ErrorCode): PublicError => ({ code, message: ERRORS[code].sentence });
