/** The end of a deadline, in the step that publishes; and how others hear of deadlines. */
import { settleDeadline as settleRow } from '../../catalogue/deadlines.js';
import type { Job } from '../../contracts/assets.js';
import type { DeadlineReport } from '../../contracts/deadlines.js';
import type { ResultPublisher } from '../../messaging/messaging.js';
import { metrics } from '../../metrics/index.js';
import type { ActivityContext } from '../context.js';
import { assertAlive } from '../scope.js';

type Published = Pick<Job, 'assetId' | 'workflowId' | 'generation' | 'tenant'>;

/** Tells the other services alone: the catalogue was told before. */
export const publishDeadline = (
  results: ResultPublisher,
  { assetId, workflowId, generation, tenant }: Published,
  report: DeadlineReport,
): Promise<void> => results.deadline({ assetId, workflowId, generation, tenant, ...report });

/**
 * `met` or `missed`, by when it was published first. To be called after every publication: of what has no deadline, or
 * is settled, it changes nothing, and a repeated step repeats the event.
 *
 * @param at when all that had to be done was done: targets that must answer are counted in. Absent: when it was published
 */
export async function settleDeadline(
  { db, results }: Pick<ActivityContext, 'db' | 'results'>,
  job: Published,
  at?: Date,
): Promise<DeadlineReport | undefined> {
  assertAlive();
  const settled = await settleRow(db, job, at);
  if (!settled) return undefined;
  if (settled.isNew) countDeadline(settled.report);
  await publishDeadline(results, job, settled.report);
  return settled.report;
}

/** Once for each word on a deadline. */
export function countDeadline({ state, slackSeconds, measures }: DeadlineReport): void {
  if (state === 'on-time') return;
  metrics.deadlines.inc({ result: state });
  if (state === 'at-risk') return;
  if (state === 'met') metrics.deadlineSlack.observe({}, Math.max(0, slackSeconds));
  else metrics.deadlineLateness.observe({}, -slackSeconds);
  for (const measure of measures) metrics.deadlineMeasures.inc({ measure });
}
