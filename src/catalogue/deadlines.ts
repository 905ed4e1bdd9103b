/** What becomes of an asset's deadline: written down as it is announced, settled when the asset is published. */
import { sql, type Transaction } from 'kysely';

import type { Job } from '../contracts/assets.js';
import { isInTime, type DeadlineReport, type DeadlineState } from '../contracts/deadlines.js';
import type { WebhookEventType } from '../contracts/webhooks.js';
import { mapped, type Database, type Tables } from './database.js';
import { step, TOUCHED } from './step.js';
import { announceToWebhooks } from './webhooks.js';

type Tx = Transaction<Tables>;

/** Which publication it is about. */
type Published = Pick<Job, 'assetId' | 'tenant' | 'generation'>;

const RANK: Readonly<Record<DeadlineState, number>> = { 'on-time': 0, 'at-risk': 1, met: 2, missed: 2 };

/**
 * `new`, `again`: others are to hear of it; again, when the answer to an earlier attempt got lost. `noted`: only what is
 * projected has changed. `refused`: it comes too late.
 */
export type Noted = 'new' | 'again' | 'noted' | 'refused';

export interface Settled {
  readonly report: DeadlineReport;
  /** By this call. */
  readonly isNew: boolean;
}

/**
 * Writes down what is to be expected. For one deadline only forwards: what was at risk stays that, however it looks
 * later. Makes the asset's row where there is none yet.
 */
export function noteDeadline(db: Database, job: Job, report: DeadlineReport): Promise<Noted> {
  return mapped(() =>
    db.transaction().execute(async (tx): Promise<Noted> => {
      const now = (await lock(tx, job)) ?? (await begin(tx, job));
      if (now.state === 'deleted' || job.generation < now.begun) return 'refused';
      if (isSettled(now.deadline_state)) return now.deadline_state === report.state ? 'again' : 'refused';
      const isSame = now.publish_by?.getTime() === Date.parse(report.publishBy);
      const isBack = isSame && RANK[report.state] < RANK[now.deadline_state ?? 'on-time'];
      const isNew = !isSame || now.deadline_state !== report.state;
      await write(tx, job, { ...report, state: isBack ? now.deadline_state! : report.state });
      if (isBack || report.state === 'on-time') return 'noted';
      if (!isNew) return 'again';
      await tell(tx, job, now.state, report);
      return 'new';
    }),
  );
}

/**
 * The last word on a deadline, in the step that published the asset. Again: the same word.
 *
 * @param at when all that had to be done was done; absent: when it was published first
 * @returns undefined of an asset without a deadline, or not published
 */
export function settleDeadline(db: Database, job: Published, at?: Date): Promise<Settled | undefined> {
  return mapped(() =>
    db.transaction().execute(async (tx): Promise<Settled | undefined> => {
      const now = await lock(tx, job);
      if (!now?.publish_by || !now.first_published_at || now.state === 'deleted') return undefined;
      if (isSettled(now.deadline_state)) {
        const report = reportOf(now.deadline_state, now.publish_by, now.projected_at!, now);
        return { report, isNew: false };
      }
      const publishedAt = at ?? now.first_published_at;
      const inTime = isInTime(publishedAt.toISOString(), {
        publishBy: now.publish_by.toISOString(),
        publishNotBefore: now.publish_not_before?.toISOString(),
      });
      const report = reportOf(inTime ? 'met' : 'missed', now.publish_by, publishedAt, now);
      await write(tx, job, report);
      await tell(tx, job, now.state, report);
      return { report, isNew: true };
    }),
  );
}

/** When it may be seen. @returns undefined: now, as far as its uploader is concerned */
export async function embargoOf(db: Database, assetId: string): Promise<Date | undefined> {
  const query = db.selectFrom('assets').select('publish_not_before').where('id', '=', assetId);
  return (await mapped(() => query.executeTakeFirst()))?.publish_not_before ?? undefined;
}

const isSettled = (state: DeadlineState | null): state is 'met' | 'missed' => state === 'met' || state === 'missed';

const lock = (tx: Tx, { assetId }: Pick<Job, 'assetId'>) =>
  tx
    .selectFrom('assets')
    .select(['state', 'begun', 'publish_by', 'publish_not_before', 'first_published_at'])
    .select(['deadline_state', 'projected_at', 'deadline_measures'])
    .where('id', '=', assetId)
    .forUpdate()
    .executeTakeFirst();

type Row = NonNullable<Awaited<ReturnType<typeof lock>>>;

/** An event of a deadline may come before anybody has looked at the bytes. */
async function begin(tx: Tx, job: Job): Promise<Row> {
  await step(tx, job, { to: 'received', by: 'announceDeadline' });
  return (await lock(tx, job))!;
}

const reportOf = (
  state: 'met' | 'missed',
  publishBy: Date,
  publishedAt: Date,
  { deadline_measures: measures }: Row,
): DeadlineReport => ({
  state,
  ...(state === 'missed' && { code: 'DEADLINE_MISSED' as const }),
  publishBy: publishBy.toISOString(),
  projectedAt: publishedAt.toISOString(),
  slackSeconds: (publishBy.getTime() - publishedAt.getTime()) / 1000,
  measures,
});

async function write(tx: Tx, { assetId }: Pick<Job, 'assetId'>, report: DeadlineReport): Promise<void> {
  await tx
    .updateTable('assets')
    .set({
      ...TOUCHED,
      publish_by: new Date(report.publishBy),
      deadline_state: report.state,
      projected_at: new Date(report.projectedAt),
      deadline_measures: sql`${[...report.measures]}::text[]`,
    })
    .where('id', '=', assetId)
    .execute();
}

async function tell(tx: Tx, job: Published, state: Row['state'], deadline: DeadlineReport): Promise<void> {
  const { assetId, tenant, generation } = job;
  const type = `deadline.${deadline.state}` as WebhookEventType;
  await announceToWebhooks(tx, type, { assetId, tenant, generation, state, deadline });
}
