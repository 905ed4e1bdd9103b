import { ApplicationFailure, CancellationScope, CancelledFailure } from '@temporalio/workflow';

import type { Job } from '../contracts/assets.js';
import { ERRORS } from '../contracts/errors.js';
import type { Story } from './story.js';

/**
 * The job for the other kind of workflow, once: bytes that each kind hands to the other are neither.
 *
 * @throws CancelledFailure when this run has been cancelled: the next one would not know of it
 */
export function corrected({ job, priority }: Story): Job {
  if (CancellationScope.current().consideredCancelled)
    throw new CancelledFailure('Cancelled before it was handed over');
  if (job.corrected) throw ApplicationFailure.nonRetryable(ERRORS.UNSUPPORTED_TYPE.sentence, 'UNSUPPORTED_TYPE');
  return { ...job, priority, corrected: true };
}
