/** Deadlines: what is promised, what is to be expected, and what was done about it. */

/** Measures in the order in which they are taken. */
export const MEASURES = ['priority', 'lanes', 'preset', 'fewer-rungs'] as const;
export type Measure = (typeof MEASURES)[number];

/** `at-risk` is said at once and not taken back: what follows it is `met` or `missed`. */
export const DEADLINE_STATES = ['on-time', 'at-risk', 'met', 'missed'] as const;
export type DeadlineState = (typeof DEADLINE_STATES)[number];

/** What becomes of one asset's deadline, as events, the API and the catalogue tell it. */
export interface DeadlineReport {
  readonly state: DeadlineState;
  /** Of a state that somebody should act upon. */
  readonly code?: 'DEADLINE_AT_RISK' | 'DEADLINE_MISSED' | undefined;
  /** ISO 8601. */
  readonly publishBy: string;
  /** ISO 8601: when it will be published as far as one knows now; of `met` and `missed`, when it was. */
  readonly projectedAt: string;
  /** `publishBy` minus `projectedAt`; negative: late. */
  readonly slackSeconds: number;
  readonly measures: readonly Measure[];
}
