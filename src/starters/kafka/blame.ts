/** Whose fault is it that an event could not be handled? That decides whether the event may be given up. */
import { isGrpcServiceError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';

import { ERRORS, MediaError } from '../../contracts/errors.js';

export interface Verdict {
  /**
   * `outage`: a service can't do it now. `setup`: a service refuses everything until an operator mends it.
   * `event`: neither; most likely a bug that this one event meets.
   */
  readonly fault: 'outage' | 'setup' | 'event';
  /** For an operator. */
  readonly advice?: string | undefined;
}

/** Status codes of gRPC (grpc.github.io/grpc/core/md_doc_statuscodes.html). */
const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

export function blame(error: unknown): Verdict {
  if (MediaError.is(error)) return { fault: ERRORS[error.code].attempts === Infinity ? 'outage' : 'event' };
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    if (cause instanceof NamespaceNotFoundError) {
      const advice = `Temporal has no namespace ${cause.namespace}: make it (\`temporal operator namespace create\`), then run \`mediamill init\`, or set temporal.namespace.`;
      return { fault: 'setup', advice };
    }
    if (isGrpcServiceError(cause)) return ofStatus(cause.code, cause.details);
  }
  return { fault: 'event' };
}

function ofStatus(code: number, details: string): Verdict {
  if (code === PERMISSION_DENIED || code === UNAUTHENTICATED) {
    return { fault: 'setup', advice: 'Temporal refuses our credentials: check its `TEMPORAL_*` variables.' };
  }
  if (code !== INVALID_ARGUMENT) return { fault: 'outage' };
  // There is no machine-readable form of this one.
  if (!/search attribute/i.test(details)) return { fault: 'event' };
  return { fault: 'setup', advice: 'Temporal does not know our search attributes: run `mediamill init`.' };
}
