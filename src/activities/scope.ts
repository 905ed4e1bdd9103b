/** The frame around every activity: heartbeats, cancellation, draining, errors, a logger that knows where it is. */
import { Context, type Info } from '@temporalio/activity';

import { parseHeartbeat, type HeartbeatDetails } from '../contracts/progress.js';
import type { Logger } from '../logging/logger.js';
import { drainingFailure, toFailure } from './failures.js';

/** A heartbeat also fetches cancellation: its period bounds how late a cancel is heard. */
const HEARTBEAT_MS = 1000;

export interface ActivityScope {
  /** Aborted on cancel, time-out, pause and drain. Its reason is the CancelledFailure to rethrow. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly info: Info;
  /** What the attempt before left. A hint: heartbeats are throttled, the store is the truth. */
  readonly previous: HeartbeatDetails | undefined;
  /** Sets what the next heartbeat says. Cheap: call it as often as you like. */
  report(details: Omit<HeartbeatDetails, 'v'>): void;
}

/**
 * Makes an activity of `run`. Heartbeats come from a timer, not from the encoder's output, so that
 * a stalled encoder still hears a cancel. When the worker drains, the last details are flushed and
 * the activity ends with a retryable `WorkerDraining`, so that another worker goes on at once;
 * rethrowing the cancellation would drop the pending heartbeat.
 */
export function activity<Args extends unknown[], Result>(
  logger: Logger,
  run: (scope: ActivityScope, ...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    const context = Context.current();
    const { info } = context;
    let details: HeartbeatDetails | undefined;
    const beat = (): void => context.heartbeat(details);
    const timer = setInterval(beat, HEARTBEAT_MS);
    const scope: ActivityScope = {
      signal: context.cancellationSignal,
      logger: logger.child({
        workflowId: info.workflowExecution?.workflowId,
        activity: info.activityType,
        activityId: info.activityId,
        attempt: info.attempt,
      }),
      info,
      previous: parseHeartbeat(info.heartbeatDetails),
      report: (next) => {
        details = { v: 1, ...next };
      },
    };
    try {
      beat();
      return await run(scope, ...args);
    } catch (error) {
      if (context.cancellationDetails?.workerShutdown) {
        beat();
        throw drainingFailure();
      }
      // A tool that was stopped by a cancel may fail in its own words first.
      if (scope.signal.aborted) throw scope.signal.reason;
      throw toFailure(error, info.attempt);
    } finally {
      clearInterval(timer);
    }
  };
}
