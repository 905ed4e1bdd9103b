/** Whatever was thrown, as a caller is told of it: the same at every front door. */
import { isGrpcServiceError } from '@temporalio/client';

import { MediaError } from '../contracts/errors.js';
import { ApiProblem } from './problems.js';

/** Seconds. */
const OUTAGE_RETRY = 2;
/**
 * CANCELLED (a deadline that the server noticed first: we cancel no calls), DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED,
 * UNAVAILABLE. https://grpc.io/docs/guides/status-codes/
 */
const TEMPORAL_AWAY = [1, 4, 8, 14];

/** What says nothing to a caller becomes `internal`: log it. */
export function asProblem(error: unknown): ApiProblem {
  if (ApiProblem.is(error)) return error;
  if (MediaError.is(error)) {
    if (error.code.endsWith('_UNAVAILABLE'))
      return new ApiProblem('unavailable', { detail: error.message, retryAfter: OUTAGE_RETRY });
    if (error.code === 'PROFILE_UNKNOWN') return new ApiProblem('invalid-request', { detail: error.message });
  }
  if (isTemporalAway(error))
    return new ApiProblem('unavailable', {
      detail: 'The workflow engine can not be reached.',
      retryAfter: OUTAGE_RETRY,
    });
  return new ApiProblem('internal');
}

/** Temporal's client wraps what gRPC says, more than once at times. */
export function isTemporalAway(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (isGrpcServiceError(cause)) return TEMPORAL_AWAY.includes(cause.code);
  return false;
}
