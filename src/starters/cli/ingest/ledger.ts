/** What became of an ingest's lines, counted. */
import type { ItemOutcome } from '../../../contracts/ingest.js';
import { isInTime } from '../../../contracts/deadlines.js';

/** `late`: published after its deadline, or not at all. */
export type DeadlineResult = 'none' | 'met' | 'late';

/** @param publishNotBefore the embargo, where there is one */
export function deadlineResult(
  { publishBy, publishedAt }: Pick<ItemOutcome, 'publishBy' | 'publishedAt'>,
  publishNotBefore?: string,
): DeadlineResult {
  if (publishBy === undefined) return 'none';
  return publishedAt !== undefined && isInTime(publishedAt, { publishBy, publishNotBefore }) ? 'met' : 'late';
}

export class Ledger {
  parseErrors = 0;
  duplicates = 0;
  submitted = 0;
  encoded = 0;
  published = 0;
  /** Items that have ended, in whatever way. */
  ended = 0;
  met = 0;
  late = 0;
  /** Of those that have ended: those of which it was known before, and those that were late. */
  atRisk = 0;
  /** Seconds, of those that were published late. */
  private readonly lateness: number[] = [];

  /** Submitted and not ended. */
  get open(): number {
    return this.submitted - this.ended;
  }

  get publishFailed(): number {
    return this.encoded - this.published;
  }

  get encodeFailed(): number {
    return this.ended - this.encoded;
  }

  end(outcome: ItemOutcome, publishNotBefore?: string): DeadlineResult {
    this.ended += 1;
    if (outcome.encoded) this.encoded += 1;
    if (outcome.published) this.published += 1;
    const result = deadlineResult(outcome, publishNotBefore);
    if (result === 'met') this.met += 1;
    if (result === 'late') this.late += 1;
    if (result === 'late' || outcome.wasAtRisk) this.atRisk += 1;
    const { publishBy, publishedAt } = outcome;
    if (result === 'late' && publishBy && publishedAt)
      this.lateness.push((Date.parse(publishedAt) - Date.parse(publishBy)) / 1000);
    return result;
  }

  /** The last line: what scripts read. Its form does not change. */
  statsLine(): string {
    const { parseErrors, submitted, encoded, published, publishFailed } = this;
    return `stats: client_parse_errors=${parseErrors} client_submitted=${submitted} encoded=${encoded} published=${published} publish_failed=${publishFailed}`;
  }

  /** The line before it. */
  deadlinesLine(): string {
    const { met, late, atRisk, duplicates, encodeFailed, open } = this;
    const sorted = this.lateness.toSorted((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(2);
    const lateness = `lateness_p50=${at(0.5)} lateness_p99=${at(0.99)} lateness_max=${at(1)}`;
    return `deadlines: met=${met} missed=${late} at_risk=${atRisk} ${lateness} duplicates=${duplicates} encode_failed=${encodeFailed} open=${open}`;
  }
}
