/** What a workflow does for a deadline, with activities that a test scripts. */
import { CancelledFailure, Context } from '@temporalio/activity';
import type { WorkflowFailedError } from '@temporalio/client';

import type { ChunkRequest, EndRequest, PublishRequest } from '../../src/contracts/activities.js';
import type { Job } from '../../src/contracts/assets.js';
import type { DeadlineReport } from '../../src/contracts/deadlines.js';
import type { QueueNames } from '../../src/contracts/names.js';
import type { Pace } from '../../src/contracts/pace.js';
import type { Progress } from '../../src/contracts/progress.js';
import type { ProcessSummary } from '../../src/contracts/summary.js';
import { useStack } from '../support/stack.js';
import {
  chunkResult,
  damaged,
  described,
  makeJob,
  openBench,
  plan,
  published,
  untilCancelled,
  untilProgress,
  type Bench,
  type Scripted,
} from './support.js';

const stack = useStack();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench(stack.config.temporal);
});
afterAll(() => bench.close());

const inSeconds = (seconds: number): string => new Date(Date.now() + 1000 * seconds).toISOString();
const withWishes = (wishes: Partial<Job>) => (queues: QueueNames) => [{ ...makeJob(), ...wishes }, queues];

/** Of this plan: the lowest rung takes about 2 s, both take 8. */
const SLOW: Pace = { speed: 30, load: { waiting: 0, workers: 1 } };
const FAST: Pace = { speed: 10_000, load: { waiting: 0, workers: 1 } };
const inspectedAt = (pace: Pace): Scripted => ({ inspectMedia: async () => ({ outcome: 'media', plan, pace }) });

/** Writes down what is published, what is said and what is encoded. */
function witness(pace: Pace) {
  const requests: PublishRequest[] = [];
  const reports: DeadlineReport[] = [];
  const ends: EndRequest[] = [];
  let may720pGo = false;
  const let720pGo = (): void => void (may720pGo = true);
  const activities: Scripted = {
    ...inspectedAt(pace),
    publishMedia: async (request) => {
      requests.push(request);
      return published(request);
    },
    announceDeadline: async (_job, report) => void reports.push(report),
    recordEnd: async (end) => void ends.push(end),
    encodeChunk: async (request: ChunkRequest) => {
      if (request.rungs.includes('720p')) await untilCancelledOr(() => may720pGo);
      return chunkResult(request);
    },
  };
  return { requests, reports, ends, activities, let720pGo };
}

/** Heartbeats until then. */
async function untilCancelledOr(isOver: () => boolean): Promise<void> {
  const { cancellationSignal, heartbeat } = Context.current();
  while (!isOver()) {
    if (cancellationSignal.aborted) throw cancellationSignal.reason;
    heartbeat();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const missingOf = ({ made }: PublishRequest) => made.missing.map(({ name, error }) => `${name} ${error.code}`);

test('at its deadline what is whole is published, and what follows is an upgrade of it', async () => {
  // Three times as slow, and as much time: what other suites take of it is little beside that.
  const { requests, reports, activities, let720pGo } = witness({ ...SLOW, speed: 10 });
  const publishBy = inSeconds(24);
  await bench.run(
    'processVideo',
    activities,
    async (handle) => {
      await untilProgress(handle, 'upgrading', ({ stage }) => stage === 'upgrading');
      expect(requests).toHaveLength(1);
      expect(missingOf(requests[0]!)).toContain('720p TO_FOLLOW');
      expect(Date.now()).toBeLessThan(Date.parse(publishBy));
      expect(await handle.query<Progress>('progress')).toMatchObject({ state: 'partial', priority: 5 });
      let720pGo();
      expect(await handle.result()).toMatchObject({ state: 'ready', missing: [] });
      expect(requests[1]).toMatchObject({ repair: true, mends: expect.arrayContaining(['720p']) });
      expect(missingOf(requests[1]!)).toEqual([]);
      expect(requests).toHaveLength(2);
      expect(reports.at(-1)).toMatchObject({
        state: 'on-time',
        publishBy,
        measures: ['priority', 'preset', 'fewer-rungs'],
      });
    },
    withWishes({ publishBy }),
  );
});

test('rungs that an encoder left out because others are in need follow by themselves', async () => {
  const { requests, reports, activities, let720pGo } = witness(FAST);
  let720pGo();
  const encoded: string[] = [];
  await bench.run(
    'processVideo',
    {
      ...activities,
      encodeChunk: async (request) => {
        encoded.push(described(request));
        const left = request.isDivisible ? request.rungs.filter((name) => name === '720p') : [];
        return { ...chunkResult(request), left };
      },
    },
    async (handle) => {
      expect(await handle.result()).toMatchObject({ state: 'ready', missing: [] });
      expect(requests).toHaveLength(1);
      // Once it was left out of one chunk, the others are not even asked for it.
      expect(encoded.filter((line) => line.includes('720p 360p')).length).toBeLessThan(encoded.length / 2);
      expect(encoded.filter((line) => line.endsWith(' 720p')).length).toBeGreaterThan(0);
      expect(reports.at(-1)).toMatchObject({ state: 'on-time', measures: ['fewer-rungs'] });
    },
    withWishes({ publishBy: inSeconds(3600) }),
  );
});

test('what is made in time is published once, as a whole', async () => {
  const { requests, reports, activities, let720pGo } = witness(FAST);
  let720pGo();
  await bench.run(
    'processVideo',
    activities,
    async (handle) => {
      expect(await handle.result()).toMatchObject({ state: 'ready' });
      expect(requests).toHaveLength(1);
      expect(requests[0]!.repair).toBeUndefined();
      expect(reports).toMatchObject([{ state: 'on-time', measures: [] }]);
    },
    withWishes({ publishBy: inSeconds(3600) }),
  );
});

test('a deadline in the past is said before anything else, and what is whole is published at once', async () => {
  const { requests, reports, activities, let720pGo } = witness(SLOW);
  const order: string[] = [];
  await bench.run(
    'processVideo',
    {
      ...activities,
      inspectMedia: async () => {
        order.push('inspect');
        return { outcome: 'media', plan, pace: SLOW };
      },
      announceDeadline: async (_job, report) => {
        order.push(report.state);
        reports.push(report);
      },
    },
    async (handle) => {
      await untilProgress(handle, 'upgrading', ({ stage }) => stage === 'upgrading');
      expect(order.slice(0, 2)).toEqual(['at-risk', 'inspect']);
      expect(reports[0]).toMatchObject({ code: 'DEADLINE_AT_RISK' });
      expect(missingOf(requests[0]!)).toContain('720p TO_FOLLOW');
      let720pGo();
      expect(await handle.result()).toMatchObject({ state: 'ready' });
    },
    withWishes({ publishBy: inSeconds(-60) }),
  );
});

test('a last call stops what can not be in time, and makes the least of it in front of everything else', async () => {
  const runs: { what: string; priority: number | undefined; isUrgent: boolean }[] = [];
  const { requests, activities } = witness(FAST);
  await bench.run(
    'processVideo',
    {
      ...activities,
      encodeChunk: async (request: ChunkRequest) => {
        const { priority, taskQueue } = Context.current().info;
        const isUrgent = taskQueue.endsWith('urgent');
        runs.push({ what: described(request), priority: priority?.priorityKey, isUrgent });
        return request.rungs.includes('720p') ? untilCancelled() : chunkResult(request);
      },
    },
    async (handle) => {
      await untilProgress(handle, 'upgrading', ({ stage }) => stage === 'upgrading');
      expect(runs.map(({ what }) => what)).toContain('1+1 720p 360p');
      expect(runs).toContainEqual({ what: '1+1 360p', priority: 1, isUrgent: true });
      expect(missingOf(requests[0]!)).toContain('720p TO_FOLLOW');
      // What follows gives way to everything that has a deadline.
      await untilProgress(handle, '720p follows', ({ parts }) =>
        parts.some(({ name, state }) => name === '720p' && state === 'running'),
      );
    },
    withWishes({ publishBy: inSeconds(16) }),
  );
});

test('a cancel after the publication leaves what is published, and names what does not follow', async () => {
  const { requests, ends, activities } = witness(SLOW);
  await bench.run(
    'processVideo',
    activities,
    async (handle) => {
      await untilProgress(handle, 'upgrading', ({ stage }) => stage === 'upgrading');
      await handle.cancel();
      const error = await handle.result().catch((e: unknown) => e);
      expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
      expect(requests[1]).toMatchObject({ repair: true, lastTry: true, mends: expect.arrayContaining(['720p']) });
      expect(missingOf(requests[1]!)).toEqual(['720p CANCELLED']);
      expect(ends).toEqual([]);
      expect(await handle.query<Progress>('progress')).toMatchObject({ state: 'partial' });
    },
    withWishes({ publishBy: inSeconds(8) }),
  );
});

test('what can not be made after the publication is named with its reason', async () => {
  const { requests, ends, activities } = witness(SLOW);
  await bench.run(
    'processVideo',
    {
      ...activities,
      encodeChunk: async (request: ChunkRequest) => {
        if (!request.rungs.includes('720p')) return chunkResult(request);
        await untilCancelledOr(() => requests.length > 0);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        throw damaged();
      },
    },
    async (handle) => {
      expect((await handle.result()) as ProcessSummary).toMatchObject({
        state: 'partial',
        missing: [{ name: '720p' }],
      });
      expect(missingOf(requests[0]!)).toContain('720p TO_FOLLOW');
      expect(missingOf(requests[1]!)).toEqual(['720p DAMAGED_FILE']);
      expect(ends).toEqual([]);
    },
    withWishes({ publishBy: inSeconds(8) }),
  );
});

test('a publication in time that fails costs nothing but time', async () => {
  const { requests, activities, let720pGo } = witness(SLOW);
  await bench.run(
    'processVideo',
    {
      ...activities,
      publishMedia: async (request) => {
        requests.push(request);
        if (requests.length > 1) return published(request);
        setTimeout(let720pGo, 500);
        throw damaged();
      },
    },
    async (handle) => {
      expect(await handle.result()).toMatchObject({ state: 'ready' });
      expect(requests.map(({ repair }) => repair)).toEqual([undefined, undefined]);
      expect(missingOf(requests[0]!)).toContain('720p TO_FOLLOW');
      expect(missingOf(requests[1]!)).toEqual([]);
    },
    withWishes({ publishBy: inSeconds(8) }),
  );
});

test('a first look that still waits for its place does not hold up what is made already', async () => {
  const { requests, activities, let720pGo } = witness(FAST);
  let720pGo();
  await bench.run(
    'processVideo',
    { ...activities, previewAudio: () => untilCancelled() },
    async (handle) => {
      expect(await handle.result()).toMatchObject({ state: 'ready' });
      expect(requests).toHaveLength(1);
    },
    withWishes({ publishBy: inSeconds(3600) }),
  );
});

/** @returns the deadlines that were told of */
async function countedFrom(clock: () => string): Promise<string[]> {
  const { reports, activities, let720pGo } = witness(FAST);
  let720pGo();
  const encodeChunk: Scripted['encodeChunk'] = async (request) =>
    chunkResult(request, { timing: { startedAt: clock(), waitedSeconds: 0, load: FAST.load } });
  await bench.run(
    'processVideo',
    { ...activities, encodeChunk },
    async (handle) => expect(await handle.result()).toMatchObject({ state: 'ready' }),
    withWishes({ publicationTimeout: 600 }),
  );
  return reports.map(({ publishBy }) => publishBy);
}

test('a timeout counts from when the first encode began', async () => {
  const begun: number[] = [];
  const told = await countedFrom(() => {
    begun.push(Date.now());
    return new Date(begun.at(-1)!).toISOString();
  });
  expect(told.at(-1)).toBe(new Date(Math.min(...begun) + 600_000).toISOString());
});

test.each([-3600, 3600])('an encoder whose clock is off by %i s moves no deadline', async (seconds) => {
  const before = Date.now();
  const told = await countedFrom(() => inSeconds(seconds));
  const counted = Date.parse(told.at(-1)!) - 600_000;
  expect(counted).toBeGreaterThanOrEqual(before);
  expect(counted).toBeLessThanOrEqual(Date.now());
});
