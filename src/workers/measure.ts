/** What every attempt of an activity adds to the metrics: how long it waited, how long it ran, how it ended. */
import type { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';

import type { QueueNames } from '../contracts/names.js';
import { metrics } from '../metrics/index.js';

const QUEUE_LABELS = {
  media: 'media',
  video: 'video',
  videoUrgent: 'video-urgent',
  image: 'image',
  publish: 'publish',
} as const satisfies Record<keyof QueueNames, string>;

/** @param queues what queues are for, whatever they are called */
export function measured(taskQueue: string, queues: QueueNames): ActivityInterceptorsFactory {
  const use = (Object.keys(QUEUE_LABELS) as (keyof QueueNames)[]).find(
    // A publish worker has a queue of its own, too.
    (key) => queues[key] === taskQueue || taskQueue.startsWith(`${queues[key]}@`),
  );
  return (context: Context) => ({ inbound: measuring(context, QUEUE_LABELS[use ?? 'media']) });
}

type QueueLabel = (typeof QUEUE_LABELS)[keyof QueueNames];
type StepLabels = Parameters<typeof metrics.steps.observe>[0];

function measuring(context: Context, queue: QueueLabel): ActivityInboundCallsInterceptor {
  const { info } = context;
  const activity = info.activityType as StepLabels['activity'];
  return {
    async execute(input, next) {
      // Since this attempt was due: its back-off is no wait. The server's clock may be ahead of ours.
      metrics.queueWait.observe({ queue }, Math.max(0, Date.now() - info.currentAttemptScheduledTimestampMs) / 1000);
      const started = performance.now();
      const end = (outcome: StepLabels['outcome']): void =>
        metrics.steps.observe({ activity, outcome }, (performance.now() - started) / 1000);
      try {
        const result: unknown = await next(input);
        end('ok');
        return result;
      } catch (error) {
        const drained = context.cancellationDetails?.workerShutdown === true;
        if (drained) end('drained');
        else if (context.cancellationSignal.aborted) end('cancelled');
        else if (isBenign(error)) end('waiting');
        else {
          end('failed');
          const code = (error instanceof ApplicationFailure ? error.type : undefined) as FailureCode;
          metrics.stepFailures.inc({ activity, code });
        }
        throw error;
      }
    },
  };
}

const isBenign = (error: unknown): boolean =>
  error instanceof ApplicationFailure && error.category === ApplicationFailureCategory.BENIGN;

/** A code of ours is the type of the failure; anything else is counted as `other`. */
type FailureCode = Parameters<typeof metrics.stepFailures.inc>[0]['code'];
