/** When an asset is needed, as its uploader said and may say anew, and what is told of that. */
import { ApplicationFailure, defineUpdate, patched, proxyActivities, setHandler } from '@temporalio/workflow';

import type { MediaActivities } from '../contracts/activities.js';
import type { Job, Priority } from '../contracts/assets.js';
import {
  deadlineOf,
  problemOfWishes,
  type DeadlineChange,
  type DeadlineReport,
  type Measure,
} from '../contracts/deadlines.js';
import { priorityBySlack } from '../contracts/course.js';
import { UPDATE_SET_DEADLINE } from '../contracts/progress.js';
import { policies, type Setting, type Standing } from './policies.js';

const setDeadlineUpdate = defineUpdate<void, [DeadlineChange]>(UPDATE_SET_DEADLINE);

/** Made and published, where nothing is in its way. Milliseconds. */
const IMAGE_MS = 3_000;

interface Told {
  readonly job: Job;
  readonly setting: Setting;
}

type Late = Told & { readonly deadline: Deadline };

/** What is to be expected. Times in milliseconds since 1970. */
export interface Expectation {
  readonly projectedAt: number;
  readonly isAtRisk: boolean;
}

export class Deadline {
  private wishes: Pick<Job, 'publishBy' | 'publicationTimeout' | 'publishNotBefore'>;
  private readonly own: Priority;
  private isKept = false;
  private startedAt: string | undefined;
  private readonly begunAt = Date.now();
  private readonly measures = new Set<Measure>();
  /** Set by whoever knows how urgent it is. */
  priority: Priority | undefined;
  standing: Standing | undefined;
  /** Counts the changes that others ask for. */
  changes = 0;

  /** @param onChange called when the uploader says something else */
  constructor({ publishBy, publicationTimeout, publishNotBefore, priority }: Job, onChange: () => void) {
    this.own = priority;
    this.wishes = { publishBy, publicationTimeout, publishNotBefore };
    setHandler(
      setDeadlineUpdate,
      (change) => {
        this.wishes = changed(this.wishes, change);
        this.changes += 1;
        onChange();
      },
      { validator: (change: DeadlineChange) => check(changed(this.wishes, change)) },
    );
  }

  /**
   * From here on it counts. Workflows that were begun before deadlines counted go on without, whatever their jobs say;
   * and none of this writes anything into the history of a job that has no deadline.
   */
  keep(): void {
    const { publishBy, publicationTimeout } = this.wishes;
    this.isKept = (publishBy === undefined && publicationTimeout === undefined) || patched('deadlines');
    const by = this.publishBy;
    if (by === undefined) return;
    this.priority = priorityBySlack((Date.parse(by) - Date.now()) / 1000, this.own);
    this.standing = 'deadline';
  }

  /** ISO 8601. Of a timeout, before encoding has started: where it would end if that were now. */
  get publishBy(): string | undefined {
    return this.isKept ? deadlineOf(this.wishes, this.startedAt ?? new Date().toISOString()) : undefined;
  }

  /** ISO 8601. Nobody sees anything of it before. */
  get publishNotBefore(): string | undefined {
    return this.wishes.publishNotBefore;
  }

  /** For the workflow that goes on in this one's place. */
  get job(): Pick<Job, 'publishBy' | 'publishNotBefore'> {
    return { publishBy: this.wishes.publishBy, publishNotBefore: this.wishes.publishNotBefore };
  }

  /**
   * Of several, the first counts. A machine whose clock is wrong can not say that it was before anybody asked for it,
   * or is yet to come.
   *
   * @param at ISO 8601, by the clock of whoever encodes
   */
  encodingStarted(at: string): void {
    const known = Math.min(Math.max(Date.parse(at), this.begunAt), Date.now());
    const startedAt = new Date(known).toISOString();
    if (this.startedAt === undefined || startedAt < this.startedAt) this.startedAt = startedAt;
  }

  take(measure: Measure): void {
    this.measures.add(measure);
  }

  /** @returns undefined without a deadline */
  report({ projectedAt, isAtRisk }: Expectation): DeadlineReport | undefined {
    const { publishBy } = this;
    if (publishBy === undefined) return undefined;
    return {
      state: isAtRisk ? 'at-risk' : 'on-time',
      ...(isAtRisk && { code: 'DEADLINE_AT_RISK' as const }),
      publishBy,
      projectedAt: new Date(projectedAt).toISOString(),
      slackSeconds: (Date.parse(publishBy) - projectedAt) / 1000,
      measures: [...this.measures],
    };
  }

  /** Whether it is known when it is: a timeout counts from when encoding starts. */
  get isFixed(): boolean {
    return (
      this.publishBy !== undefined && (this.wishes.publicationTimeout === undefined || this.startedAt !== undefined)
    );
  }
}

/** What is too late already is said before anything else is done. */
export async function announceIfPast(told: Late): Promise<void> {
  const now = Date.now();
  const report = told.deadline.report({ projectedAt: now, isAtRisk: true });
  if (report && Date.parse(report.publishBy) <= now) await announce(report, told);
}

/** Of an image: when it must be there, which may count from now, and whether there is time for it. */
export async function announceIfTight(told: Late): Promise<void> {
  const projectedAt = Date.now() + IMAGE_MS;
  const { publishBy } = told.deadline;
  const isAtRisk = publishBy !== undefined && Date.parse(publishBy) < projectedAt;
  const report = told.deadline.report({ projectedAt, isAtRisk });
  if (report) await announce(report, told);
}

export async function announce(report: DeadlineReport, { job, setting }: Told): Promise<void> {
  const { announceDeadline } = proxyActivities<MediaActivities>(policies.light(setting, `deadline: ${report.state}`));
  await announceDeadline(job, report);
}

function changed<Wishes extends object>(wishes: Wishes, { publishBy, publishNotBefore }: DeadlineChange): Wishes {
  return {
    ...wishes,
    ...(publishBy !== undefined && { publishBy: publishBy ?? undefined }),
    ...(publishNotBefore !== undefined && { publishNotBefore: publishNotBefore ?? undefined }),
  };
}

function check(wishes: Parameters<typeof problemOfWishes>[0]): void {
  const problem = problemOfWishes(wishes);
  if (problem !== undefined) throw ApplicationFailure.nonRetryable(problem, 'Rejected');
}
