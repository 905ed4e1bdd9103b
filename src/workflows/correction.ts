import { ApplicationFailure } from '@temporalio/workflow';

import type { Job } from '../contracts/assets.js';
import { ERRORS } from '../contracts/errors.js';

/** The job for the other kind of workflow, once: bytes that each kind hands to the other are neither. */
export function corrected(job: Job): Job {
  if (job.corrected) throw ApplicationFailure.nonRetryable(ERRORS.UNSUPPORTED_TYPE.sentence, 'UNSUPPORTED_TYPE');
  return { ...job, corrected: true };
}
