/** Deadlines in words. */
import type { DeadlineState } from '../../../src/contracts/deadlines.js';
import { moment, span } from '../lib/format.js';

export interface Deadline {
  readonly publishBy?: string;
  /** Seconds from the start of encoding. */
  readonly publicationTimeout?: number;
  readonly notBefore?: string;
  readonly state?: DeadlineState;
  /** Negative: late. */
  readonly slackSeconds?: number;
}

/** `Needed by 21 Nov 2026, 12:00:00 · expected 9.0 s late` */
export function sayDeadline(
  { publishBy, publicationTimeout, notBefore, state, slackSeconds }: Deadline,
  now = Date.now(),
): string {
  const by =
    publishBy !== undefined
      ? `Needed by ${moment(publishBy)}`
      : publicationTimeout !== undefined && `Needed ${span(publicationTimeout * 1000)} after encoding starts`;
  const isDone = state === 'met' || state === 'missed';
  const margin =
    slackSeconds !== undefined &&
    `${isDone ? 'published' : 'expected'} ${span(Math.abs(slackSeconds) * 1000)} ${slackSeconds < 0 ? 'late' : 'early'}`;
  const held = notBefore !== undefined && Date.parse(notBefore) > now && `held back until ${moment(notBefore)}`;
  return [by, margin, held].filter(Boolean).join(' · ');
}
