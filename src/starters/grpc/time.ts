/** Points in time and lengths of time as `google.protobuf` has them. */
import { ApiProblem } from '../../api/problems.js';
import type { Duration, Timestamp } from './messages.js';

export function timestampOf(time: string | Date): Timestamp {
  const milliseconds = new Date(time).getTime();
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanos: (milliseconds - seconds * 1000) * 1_000_000 };
}

/** @throws ApiProblem `invalid-request` for a time that no calendar has */
export function isoOf(timestamp: Timestamp | null): string | undefined {
  if (timestamp === null) return undefined;
  const date = new Date(timestamp.seconds * 1000 + Math.floor(timestamp.nanos / 1_000_000));
  if (Number.isNaN(date.getTime())) throw new ApiProblem('invalid-request', { detail: 'There is no such time.' });
  return date.toISOString();
}

export const secondsOf = (duration: Duration | null): number | undefined =>
  duration === null ? undefined : duration.seconds + duration.nanos / 1e9;

/** @param seconds with a fraction */
export function durationOf(seconds: number | null | undefined): Duration | undefined {
  if (seconds === null || seconds === undefined) return undefined;
  const whole = Math.trunc(seconds);
  return { seconds: whole, nanos: Math.round((seconds - whole) * 1e9) };
}
