/** Measures the machines, for those who have to say when a video will be there. */
import { availableParallelism, cpus } from 'node:os';

import { Context } from '@temporalio/activity';

import { noteDone } from '../../catalogue/demands.js';
import { knownSpeed, noteSpeed } from '../../catalogue/speeds.js';
import type { Job } from '../../contracts/assets.js';
import type { EncodeTiming, FleetLoad, Pace } from '../../contracts/pace.js';
import type { ActivityContext } from '../context.js';
import { assertAlive, type ActivityScope } from '../scope.js';

type Needs = Pick<ActivityContext, 'config' | 'db'>;

/** `temporal.api.enums.v1.TaskQueueType` */
const ACTIVITY_QUEUE = 2;
/** Of many chunks that end together, one asks. Milliseconds. */
const KEPT_MS = 1_000;
/** Starting a process, or waiting for the store, would be all that is measured. Milliseconds. */
const LEAST_WALL_MS = 500;

export const hasDeadline = ({ publishBy, publicationTimeout }: Job): boolean =>
  publishBy !== undefined || publicationTimeout !== undefined;

/** Machines of one class are as fast as each other. */
export const machineClass = (): string => `${cpus()[0]?.model.trim() ?? 'unknown'} x${availableParallelism()}`;

export async function paceOf(context: Needs, scope: Pick<ActivityScope, 'logger'>): Promise<Pace> {
  return { speed: await knownSpeed(context.db), load: await fleetLoad(context, scope) };
}

/** @param work `workOf` what this attempt encoded. @param startedAt of this attempt, milliseconds since 1970 */
export async function timingOf(
  context: Needs,
  scope: Pick<ActivityScope, 'logger' | 'info'>,
  { assetId }: Job,
  { work, wallMs, startedAt }: { readonly work: number; readonly wallMs: number; readonly startedAt: number },
): Promise<EncodeTiming> {
  const { info } = scope;
  const isTold = wallMs >= LEAST_WALL_MS && work > 0;
  const speed = isTold ? work / (wallMs / 1000) : undefined;
  assertAlive();
  if (speed !== undefined) await noteSpeed(context.db, machineClass(), speed);
  if (work > 0) await noteDone(context.db, assetId, work);
  return {
    // Of the first attempt, as well as the others know it.
    startedAt: new Date(info.attempt === 1 ? startedAt : info.scheduledTimestampMs).toISOString(),
    waitedSeconds: Math.max(0, (startedAt - info.currentAttemptScheduledTimestampMs) / 1000),
    speed,
    load: await fleetLoad(context, scope),
  };
}

let kept: { readonly at: number; readonly load: Promise<FleetLoad> } | undefined;

/** Of both queues of the encoders. What can't be had is not worth a failure: then nobody else is taken to be there. */
async function fleetLoad({ config }: Needs, { logger }: Pick<ActivityScope, 'logger'>): Promise<FleetLoad> {
  if (!kept || performance.now() - kept.at > KEPT_MS) {
    const { video, videoUrgent } = config.queues;
    const load = Promise.all([describe(video), describe(videoUrgent)]).then(([bulk, urgent]) => ({
      waiting: bulk.waiting + urgent.waiting,
      workers: Math.max(1, bulk.workers),
    }));
    kept = { at: performance.now(), load };
  }
  try {
    return await kept.load;
  } catch (error) {
    logger.warn('the length of the queues is not known', { error });
    return { waiting: 0, workers: 1 };
  }
}

async function describe(name: string): Promise<{ waiting: number; workers: number }> {
  const { client } = Context.current();
  const { stats, pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name },
    taskQueueType: ACTIVITY_QUEUE,
    reportStats: true,
  });
  return {
    waiting: Number(stats?.approximateBacklogCount ?? 0),
    workers: new Set(pollers?.map(({ identity }) => identity)).size,
  };
}
