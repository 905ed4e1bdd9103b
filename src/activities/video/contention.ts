/** Whether others with deadlines need the machines that encode, at the moment at which an encode begins. */
import { availableParallelism } from 'node:os';

import { noteDemand, openDemands } from '../../catalogue/demands.js';
import type { Config } from '../../config/schema.js';
import type { ChunkRequest } from '../../contracts/activities.js';
import type { Job } from '../../contracts/assets.js';
import { isContended } from '../../contracts/contention.js';
import { deadlineOf } from '../../contracts/deadlines.js';
import type { Pace } from '../../contracts/pace.js';
import { segmentCount, type VideoPlan } from '../../contracts/plan.js';
import { fromTheBottom, workOf } from '../../contracts/projection.js';
import type { ActivityContext } from '../context.js';
import { assertAlive, type ActivityScope } from '../scope.js';
import { paceOf } from './pace.js';

/**
 * Of one worker of the bulk. One ffmpeg fills about two cores with its rungs; never fewer than two, so that sound does
 * not wait behind a long encode.
 */
export const encodesAtOnce = ({ workers }: Pick<Config, 'workers'>, cores: number = availableParallelism()): number =>
  workers.videoConcurrency || Math.max(2, Math.floor(cores / 2));

/** Lets the others see what this one will take. */
export async function declareDemand({ db }: Pick<ActivityContext, 'db'>, job: Job, plan: VideoPlan): Promise<void> {
  const neededBy = deadlineOf(job, new Date().toISOString());
  if (neededBy === undefined || !plan.grid) return;
  const whole = { firstSegment: 0, segments: segmentCount(plan.grid) };
  const rungs = plan.rungs.filter(({ passthrough }) => !passthrough);
  assertAlive();
  await noteDemand(db, { assetId: job.assetId, neededBy: Date.parse(neededBy), work: workOf(plan, whole, rungs) });
}

/** The rungs of these that the run makes: all, or the least of them while deadlines are in danger. */
export async function rungsForNow(
  context: Pick<ActivityContext, 'config' | 'db'>,
  scope: Pick<ActivityScope, 'logger'>,
  { job, plan, rungs, isDivisible = false }: ChunkRequest,
): Promise<readonly string[]> {
  if (!isDivisible || rungs.length < 2) return rungs;
  if (!(await isInDanger(context, job, await paceOf(context, scope)))) return rungs;
  const asked = plan.rungs.filter(({ name }) => rungs.includes(name));
  return fromTheBottom(asked)
    .slice(0, 1)
    .map(({ name }) => name);
}

/** Of what is published, or was inspected before it had a deadline: no. */
export async function isInDanger(
  { config, db }: Pick<ActivityContext, 'config' | 'db'>,
  { assetId }: Job,
  { speed, load }: Pace,
): Promise<boolean> {
  const demands = await openDemands(db);
  const mine = demands.find((one) => one.assetId === assetId);
  // One alone keeps to its own time: its workflow knows it better.
  if (!mine || demands.length === 1 || speed === undefined) return false;
  return isContended(demands, mine.neededBy, { speed, slots: load.workers * encodesAtOnce(config) });
}
