/** How an error leaves an activity: as a failure whose type is a code of the closed list. */
import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';

import { ERRORS, MediaError } from '../contracts/errors.js';

/** Failure type of an activity that hands over because its worker is draining. Not in the closed list: nobody outside sees it. */
export const WORKER_DRAINING = 'WorkerDraining';

/**
 * @param attempt of those that count, from 1: an error that has used up its attempts is final.
 * @returns a CancelledFailure or ApplicationFailure as it is; anything else as a failure with a code.
 */
export function toFailure(error: unknown, attempt: number): Error {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  const known = MediaError.is(error) ? error : new MediaError('INTERNAL', undefined, { cause: error });
  return ApplicationFailure.create({
    type: known.code,
    message: known.message,
    nonRetryable: isFinal(known, attempt),
    cause: known.cause instanceof Error ? known.cause : undefined,
  });
}

/** @param attempt of those that count, from 1 */
export const isFinal = (error: MediaError, attempt: number): boolean =>
  error.final || attempt >= ERRORS[error.code].attempts;

/** An outage says nothing against the step that met it. */
export function isOutage(error: unknown): boolean {
  return MediaError.is(error) && ERRORS[error.code].attempts === Infinity;
}

/** Retryable at once, on another worker; BENIGN because nothing is wrong. */
export function drainingFailure(): ApplicationFailure {
  return ApplicationFailure.create({
    type: WORKER_DRAINING,
    message: 'The worker is draining; another one goes on from the last finished segment.',
    nextRetryDelay: '100ms',
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** Failure type of an activity that waits for something else than its own work. Nobody outside sees it. */
export const WAITING = 'Waiting';

/** Tried again after the pause; meanwhile its place is another's. BENIGN because nothing is wrong. */
export function waitingFailure(message: string, seconds: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: WAITING,
    message,
    nextRetryDelay: `${seconds}s`,
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** Waiting says nothing against the step. */
export const isWaiting = (error: unknown): boolean => error instanceof ApplicationFailure && error.type === WAITING;

/** Failure type of an activity whose process stood still for longer than Temporal waits. Nobody outside sees it. */
export const WORKER_FROZEN = 'WorkerFrozen';

/** Retryable: another attempt runs already, or will. */
export function frozenFailure(seconds: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: WORKER_FROZEN,
    message: `The worker stood still for ${Math.round(seconds)} s: another attempt has taken over.`,
  });
}
