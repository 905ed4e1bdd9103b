/**
 * Timeouts, retries and queues of every kind of step, each with its reason.
 *
 * Common to all: cancellation waits until the activity has really ended (`WAIT_CANCELLATION_COMPLETED`;
 * the SDK's default would let compensation delete outputs while ffmpeg still writes them). Which errors
 * are final is decided by the activity from the closed list of codes, so no list of types stands here.
 */
import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';

import type { Job, Priority } from '../contracts/assets.js';
import type { QueueNames } from '../contracts/names.js';

/** A dead worker is noticed after this. Heartbeats come every second: ten may be lost. */
const HEARTBEAT_TIMEOUT = '10s';

/** Longest that a step may wait and retry in all: an outage of a week-end loses nothing. */
const STEP_BOUND = '7 days';

/**
 * Backoff that neither hammers a store that is coming back nor lets an uploader wait long after it is.
 * No number of attempts stands here: those that an outage or a drain used up must not count, and
 * only the activity knows them (`activities/scope.ts`).
 */
const RETRY = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute' } as const;

/** Encoding slower than this many times real time is taken for stuck, whatever it reports. */
const SLOWEST_ENCODE = 30;

/** Download, probing and upload of the largest allowed source over a slow link. */
const TRANSFER_SECONDS = 1800;

const common = (job: Job, priority: Priority): ActivityOptions => ({
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  scheduleToCloseTimeout: STEP_BOUND,
  retry: RETRY,
  // The Temporal SDK limits the key to 64 bytes.
  priority: { priorityKey: priority, fairnessKey: job.tenant.slice(0, 64) },
});

export const policies = {
  inspect: (job: Job, priority: Priority, queues: QueueNames): ActivityOptions => ({
    ...common(job, priority),
    taskQueue: queues.video,
    startToCloseTimeout: `${TRANSFER_SECONDS}s`,
    summary: 'inspect',
  }),

  /** @param mediaSeconds length of what is encoded. */
  encode: (
    job: Job,
    priority: Priority,
    queues: QueueNames,
    mediaSeconds: number,
    summary: string,
  ): ActivityOptions => ({
    ...common(job, priority),
    taskQueue: queues.video,
    startToCloseTimeout: `${Math.ceil(TRANSFER_SECONDS + mediaSeconds * SLOWEST_ENCODE)}s`,
    summary,
  }),

  /** One picture is bounded by `limits.imageSeconds`; the rest is transfer. */
  image: (job: Job, priority: Priority, queues: QueueNames, summary: string): ActivityOptions => ({
    ...common(job, priority),
    taskQueue: queues.image,
    startToCloseTimeout: '5 minutes',
    summary,
  }),

  /** Listing and reading back what was made grows with it, but stays a matter of seconds. */
  publish: (job: Job, priority: Priority, queues: QueueNames): ActivityOptions => ({
    ...common(job, priority),
    taskQueue: queues.media,
    startToCloseTimeout: '10 minutes',
    summary: 'verify and publish',
  }),

  /** Clean-up and last words: they must succeed, however long the store or the catalogue is away. */
  end: (job: Job, priority: Priority, queues: QueueNames, summary: string): ActivityOptions => ({
    ...common(job, priority),
    taskQueue: queues.media,
    startToCloseTimeout: '10 minutes',
    scheduleToCloseTimeout: undefined,
    summary,
  }),
} as const;
