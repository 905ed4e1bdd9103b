/** Priorities and fairness on the shipped dev server and its configuration: real workflows, short steps, few slots. */
import { randomUUID } from 'node:crypto';

import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

import { connectTemporal, type OpenClient } from '../../src/client/connection.js';
import type { ChunkRequest } from '../../src/contracts/activities.js';
import type { Job } from '../../src/contracts/assets.js';
import type { QueueNames } from '../../src/contracts/names.js';
import { chunksOf, type VideoPlan } from '../../src/contracts/plan.js';
import { useStack } from '../support/stack.js';
import { whileRunning } from '../support/while-running.js';
import { bundled, chunkResult, longPlan, makeJob, wellBehaved } from '../workflows/support.js';

/** Milliseconds that an encode takes here. */
const ENCODE_MS = 40;

const stack = useStack();
let client: OpenClient;
let native: NativeConnection;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  client = await connectTemporal(stack.config.temporal);
  native = await NativeConnection.connect({ address: stack.config.temporal.address });
}, 60_000);
afterAll(async () => {
  await client.close();
  await native.close();
});

interface Scene {
  /** Every encode in the order in which workers took them. Milliseconds since the epoch. */
  readonly taken: {
    tenant: string;
    asset: string;
    first: number;
    urgent: boolean;
    scheduledAt: number;
    takenAt: number;
  }[];
  start(tenant: string, plan: VideoPlan): Promise<WorkflowHandle>;
}

/** One worker with two slots for bulk and two urgent ones. */
async function scene(play: (scene: Scene) => Promise<void>): Promise<void> {
  const id = randomUUID().slice(0, 8);
  const queues: QueueNames = {
    media: `m-${id}`,
    video: `v-${id}`,
    videoUrgent: `u-${id}`,
    image: `i-${id}`,
    publish: `p-${id}`,
  };
  const plans = new Map<string, VideoPlan>();
  const taken: Scene['taken'] = [];
  const work = async (job: Job, first: number): Promise<void> => {
    const { taskQueue, currentAttemptScheduledTimestampMs: scheduledAt } = Context.current().info;
    const urgent = taskQueue === queues.videoUrgent;
    taken.push({ tenant: job.tenant, asset: job.assetId, first, urgent, scheduledAt, takenAt: Date.now() });
    await new Promise((resolve) => setTimeout(resolve, ENCODE_MS));
  };
  const activities = {
    ...wellBehaved,
    inspectMedia: async (job: Job) => ({ outcome: 'media' as const, plan: plans.get(job.assetId)! }),
    encodeChunk: async (request: ChunkRequest) => {
      await work(request.job, request.chunk.firstSegment);
      return chunkResult(request);
    },
  };
  const { namespace } = stack.config.temporal;
  const common = { connection: native, namespace, activities };
  const pools = [
    await Worker.create({ ...common, taskQueue: queues.media, ...bundled }),
    await Worker.create({ ...common, taskQueue: queues.image }),
    await Worker.create({ ...common, taskQueue: queues.publish }),
    await Worker.create({ ...common, taskQueue: queues.video, maxConcurrentActivityTaskExecutions: 2 }),
    await Worker.create({ ...common, taskQueue: queues.videoUrgent, maxConcurrentActivityTaskExecutions: 2 }),
  ];
  const handles: WorkflowHandle[] = [];
  const start = async (tenant: string, plan: VideoPlan): Promise<WorkflowHandle> => {
    const job = { ...makeJob(), tenant };
    plans.set(job.assetId, plan);
    const handle = await client.temporal.workflow.start('processVideo', {
      workflowId: job.workflowId,
      taskQueue: queues.media,
      args: [job, queues],
      priority: { priorityKey: 3, fairnessKey: tenant },
    });
    handles.push(handle);
    return handle;
  };
  const end = async (): Promise<void> => {
    for (const handle of handles) await handle.terminate().catch(() => undefined);
  };
  await pools.reduce<() => Promise<void>>(
    (inner, pool) => () => whileRunning(pool, inner),
    () => play({ taken, start }).finally(end),
  )();
}

const hours = (count: number): VideoPlan => longPlan(count * 900, { chunkSegments: 15, audio: [] });
const seconds = (count: number): VideoPlan => longPlan(Math.ceil(count / 4), { chunkSegments: 15, audio: [] });
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('a ten-hour video never holds up a ten-second one of the same tenant', async () => {
  await scene(async ({ taken, start }) => {
    await start('acme', hours(10));
    while (taken.length < 40) await later(20);
    const long = taken[0]!.asset;
    const before = taken.filter(({ asset }) => asset === long).length;
    const short = await start('acme', seconds(10));
    expect(await short.result()).toMatchObject({ state: 'ready' });
    const between = taken.filter(({ asset }) => asset === long).length - before;
    // Six hundred chunks wait or would; the slots that are free meanwhile go on with them.
    expect(between).toBeLessThan(100);
    const urgent = taken.filter(({ asset }) => asset !== long);
    expect(urgent.every(({ urgent }) => urgent)).toBe(true);
  });
}, 60_000);

test('a video of two minutes goes before the rest of a ten-hour one', async () => {
  await scene(async ({ taken, start }) => {
    await start('acme', hours(10));
    while (taken.length < 40) await later(20);
    const long = taken[0]!.asset;
    const before = taken.length;
    const short = await start('acme', seconds(110));
    await short.result();
    const since = taken.slice(before).filter(({ urgent }) => !urgent);
    const first = since.findIndex(({ asset }) => asset !== long);
    const last = since.findLastIndex(({ asset }) => asset !== long);
    const others = since.slice(first, last).filter(({ asset }) => asset === long);
    // From its first bulk chunk on, it has every slot that becomes free.
    expect(others.length).toBeLessThanOrEqual(2);
  });
}, 60_000);

test('a tenant with many videos never starves another', async () => {
  await scene(async ({ taken, start }) => {
    // So much that it lasts, however long the single one's workflow takes from step to step.
    const crowd = seconds(400);
    await Promise.all(Array.from({ length: 60 }, () => start('crowd', crowd)));
    while (taken.filter(({ urgent }) => !urgent).length < 10) await later(20);
    const before = taken.length;
    const single = await start('single', seconds(100));
    await single.result();
    const since = taken.slice(before);
    const own = since.filter(({ tenant }) => tenant === 'single');
    // While one of its steps waited: how long its workflow takes between two steps says nothing about queues.
    const others = since.filter(
      ({ tenant, urgent, takenAt }) =>
        tenant === 'crowd' &&
        own.some((step) => step.urgent === urgent && step.scheduledAt < takenAt && takenAt < step.takenAt),
    ).length;
    expect(own).toHaveLength(6);
    const waiting = 60 * chunksOf(crowd).length - taken.filter(({ tenant }) => tenant === 'crowd').length;
    expect(waiting).toBeGreaterThan(60);
    // Taken in turns. Behind all that wait it would have seen hundreds.
    expect(others).toBeLessThan(100);
  });
}, 120_000);

test('a viewer in the middle of a long video does not wait for its bulk', async () => {
  await scene(async ({ taken, start }) => {
    const handle = await start('acme', hours(10));
    while (taken.length < 40) await later(20);
    const before = taken.length;
    await handle.signal('wanted', { name: '360p', segment: 4001 });
    while (!taken.slice(before).some(({ urgent, first }) => urgent && first === 4001)) await later(10);
    expect(taken.slice(before).filter(({ urgent }) => !urgent).length).toBeLessThan(40);
    while (!taken.some(({ urgent, first }) => !urgent && first > 3985 && first <= 4001)) await later(10);
    const bulk = taken.slice(before).filter(({ urgent }) => !urgent);
    // Its chunk comes after those that were on their way, not after hundreds.
    expect(bulk.findIndex(({ first }) => first > 3985 && first <= 4001)).toBeLessThan(60);
  });
}, 60_000);
