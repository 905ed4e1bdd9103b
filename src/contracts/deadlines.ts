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

/** What an uploader says of when it is needed. Times are instants: ISO 8601 with a zone, judged by the server's clock. */
export interface DeadlineWishes {
  readonly publishBy?: string | undefined;
  /** Seconds from the start of encoding. */
  readonly publicationTimeout?: number | undefined;
  readonly publishNotBefore?: string | undefined;
}

/** Payload of the update `setDeadline`. Absent: stays as it is; null: none any more. */
export interface DeadlineChange {
  readonly publishBy?: string | null | undefined;
  readonly publishNotBefore?: string | null | undefined;
}

/** Seconds: 30 days. */
export const MAX_PUBLICATION_TIMEOUT = 30 * 86_400;

/** What everybody can write: no calendar and no database has to do with five digits, whatever the zone. */
const END_OF_TIME = Date.UTC(9000, 0, 1);

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

/** What is wrong with them, for people; undefined: nothing. A deadline in the past is none of it. */
export function problemOfWishes(wishes: DeadlineWishes): string | undefined {
  const { publishBy, publicationTimeout, publishNotBefore } = wishes;
  for (const [name, value] of Object.entries({ publishBy, publishNotBefore })) {
    if (value === undefined) continue;
    const time = Date.parse(value);
    if (!INSTANT.test(value) || Number.isNaN(time)) return `${name} must be a date and time with a zone`;
    if (time < 0 || time >= END_OF_TIME) return `${name} must be in the years 1970 to 8999`;
  }
  if (publicationTimeout !== undefined && !(publicationTimeout > 0 && publicationTimeout <= MAX_PUBLICATION_TIMEOUT))
    return `publicationTimeout must be seconds, more than 0 and at most ${MAX_PUBLICATION_TIMEOUT}`;
  if (publishBy !== undefined && publishNotBefore !== undefined && Date.parse(publishNotBefore) > Date.parse(publishBy))
    return 'publishNotBefore must not be later than publishBy';
  return undefined;
}

/** How long nobody may see anything of it. @param now milliseconds. @returns milliseconds; 0: it may be seen */
export const heldBackFor = (publishNotBefore: string | Date | null | undefined, now: number): number =>
  publishNotBefore === undefined || publishNotBefore === null
    ? 0
    : Math.max(0, new Date(publishNotBefore).getTime() - now);

/**
 * Of several deadlines the first one counts; of one that ends within the embargo, the end of the embargo.
 *
 * @param encodingStartedAt ISO 8601; absent: it has not started
 */
export function deadlineOf(
  { publishBy, publicationTimeout, publishNotBefore }: DeadlineWishes,
  encodingStartedAt: string | undefined,
): string | undefined {
  const counted =
    publicationTimeout === undefined || encodingStartedAt === undefined
      ? Infinity
      : Date.parse(encodingStartedAt) + publicationTimeout * 1000;
  const first = Math.min(counted, publishBy === undefined ? Infinity : Date.parse(publishBy));
  if (first === Infinity) return undefined;
  return new Date(Math.max(first, publishNotBefore === undefined ? first : Date.parse(publishNotBefore))).toISOString();
}

/** What is held back to the second has that second. Milliseconds. */
const EMBARGO_GRACE = 1_000;

/** Whether it was published in time. @param publishedAt ISO 8601 */
export function isInTime(
  publishedAt: string,
  { publishBy, publishNotBefore }: { readonly publishBy: string; readonly publishNotBefore?: string | undefined },
): boolean {
  const embargo = publishNotBefore === undefined ? -Infinity : Date.parse(publishNotBefore) + EMBARGO_GRACE;
  return Date.parse(publishedAt) <= Math.max(Date.parse(publishBy), embargo);
}
