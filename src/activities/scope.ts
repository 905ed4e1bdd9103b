/** The frame around every activity: heartbeats, cancellation, draining, errors, a logger that knows where it is. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';

import { Context, type Info } from '@temporalio/activity';

import { MediaError } from '../contracts/errors.js';
import { parseHeartbeat, type HeartbeatDetails } from '../contracts/progress.js';
import type { Logger } from '../logging/logger.js';
import { drainingFailure, isFinal, isOutage, isWaiting, toFailure } from './failures.js';
import { Pulse } from './pulse.js';

/** A heartbeat also fetches cancellation: its period bounds how late a cancel is heard. */
const HEARTBEAT_MS = 1000;

/** After so many attempts that ended without a word (a dead worker, a timeout) the step itself is what kills them. */
const MAX_STRIKES = 10;

type Report = Omit<HeartbeatDetails, 'v' | 'strikes' | 'failures'>;

export interface ActivityScope {
  /** Aborted on cancel, time-out, pause and drain, and when this process stood still. Its reason is what to rethrow. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly info: Info;
  /** Whether nobody tries again when this attempt ends with it. */
  isFinal(error: MediaError): boolean;
  /** Sets what the next heartbeat says. Cheap: call it as often as you like. */
  report(details: Report): void;
}

export interface ActivityOptions {
  /** For steps that must succeed in the end: no error is final. */
  readonly neverGivesUp?: boolean;
  /** For steps that mostly take less than a second: they send no heartbeat before that is over. */
  readonly isBrief?: boolean;
}

const pulses = new AsyncLocalStorage<Pulse>();

/**
 * Holds a write back that comes too late: to be called before every write that an activity makes.
 *
 * @throws the scope's reason when this process stood still for longer than Temporal waits: by then another attempt
 *   may have done the step, and more. Nothing outside of activities.
 */
export const assertAlive = (): void => pulses.getStore()?.assertAlive();

/**
 * Makes an activity of `run`. Heartbeats come from a timer, not from the encoder's output, so that
 * a stalled encoder still hears a cancel. When the worker drains, the last details are flushed and
 * the activity ends with a retryable `WorkerDraining`, so that another worker goes on at once;
 * rethrowing the cancellation would drop the pending heartbeat.
 *
 * Temporal counts every attempt alike, but a week-end's outage must not use up the attempts of a
 * step. So each heartbeat carries the strikes against it: one more than at the start for as long as
 * the attempt runs, taken back when it ends by an outage or a drain. An error is final by the number
 * of failures that the step has had itself: that its worker was killed twice says nothing about them.
 */
export function activity<Args extends unknown[], Result>(
  logger: Logger,
  run: (scope: ActivityScope, ...args: Args) => Promise<Result>,
  { neverGivesUp = false, isBrief = false }: ActivityOptions = {},
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    const context = Context.current();
    const { info } = context;
    const previous = parseHeartbeat(info.heartbeatDetails);
    const strikes = previous?.strikes ?? info.attempt - 1;
    const failures = previous?.failures ?? 0;
    const counts = { v: 1, strikes: strikes + 1, failures } as const;
    let details: HeartbeatDetails = { step: 'start', what: '', percent: 0, ...previous, ...counts };
    const pulse = new Pulse(info.heartbeatTimeoutMs);
    const beat = (): void => {
      if (pulse.beat()) context.heartbeat(details);
    };
    const timer = setInterval(beat, HEARTBEAT_MS);
    const signal = AbortSignal.any([context.cancellationSignal, pulse.signal]);
    // A step has as many requests under way as it likes: that is no leak.
    setMaxListeners(0, signal);
    const scope: ActivityScope = {
      signal,
      logger: logger.child({
        workflowId: info.workflowExecution?.workflowId,
        activity: info.activityType,
        activityId: info.activityId,
        attempt: info.attempt,
      }),
      info,
      isFinal: (error) => isFinal(error, failures + 1),
      report: (next) => {
        details = { ...counts, ...next };
      },
    };
    try {
      // Without earlier words, the number of attempts says what the first heartbeat of one would.
      if (previous || !isBrief) beat();
      if (strikes >= MAX_STRIKES && !neverGivesUp) throw new MediaError('INTERNAL', undefined, { final: true });
      return await pulses.run(pulse, () => run(scope, ...args));
    } catch (error) {
      if (pulse.signal.aborted) {
        scope.logger.warn('this process stood still: another attempt has taken over');
        throw pulse.signal.reason;
      }
      const drained = context.cancellationDetails?.workerShutdown === true;
      const isOurs = !drained && !scope.signal.aborted && !isOutage(error) && !isWaiting(error);
      details = isOurs ? { ...details, failures: failures + 1 } : { ...details, strikes };
      beat();
      if (drained) throw drainingFailure();
      // A tool that was stopped by a cancel may fail in its own words first.
      if (scope.signal.aborted) throw scope.signal.reason;
      throw toFailure(error, neverGivesUp ? 0 : failures + 1);
    } finally {
      clearInterval(timer);
    }
  };
}
