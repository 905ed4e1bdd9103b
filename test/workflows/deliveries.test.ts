/** What is published is delivered; nothing that befalls that takes the publication back. */
import { ApplicationFailure } from '@temporalio/common';

import type { DeliveryRequest, PublishOutcome, PublishRequest } from '../../src/contracts/activities.js';
import type { Job } from '../../src/contracts/assets.js';
import type { WantedTarget } from '../../src/contracts/targets.js';
import { useStack } from '../support/stack.js';
import { openBench, published, summaries, untilCancelled, untilProgress, wellBehaved, type Bench } from './support.js';

const stack = useStack();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench(stack.config.temporal);
});
afterAll(() => bench.close());

const TARGETS: readonly WantedTarget[] = [
  { name: 'archive', required: true },
  { name: 'cdn', required: false },
];

function scene(deliver: (request: DeliveryRequest) => Promise<void> = async () => undefined) {
  const asked: DeliveryRequest[] = [];
  const activities = {
    publishMedia: async (request: PublishRequest): Promise<PublishOutcome> => ({
      ...(published(request) as Extract<PublishOutcome, { outcome: 'published' }>),
      targets: TARGETS,
    }),
    deliver: async (request: DeliveryRequest) => {
      asked.push(request);
      await deliver(request);
      return { target: request.target, at: new Date().toISOString(), waitedSeconds: 0 };
    },
  };
  return { asked, activities };
}

test('a video goes to every target of its profile', async () => {
  const { asked, activities } = scene();
  await bench.run('processVideo', activities, async (handle, { assetId, tenant }) => {
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    const of = { assetId, generation: 1, tenant };
    expect(asked.sort((a, b) => a.target.localeCompare(b.target))).toEqual([
      { ...of, target: 'archive' },
      { ...of, target: 'cdn' },
    ]);
    expect(await summaries(handle)).toEqual(expect.arrayContaining(['deliver to archive', 'deliver to cdn']));
  });
});

test('a picture does, and so does what another asset had made of the same bytes', async () => {
  const picture = scene();
  const makeImage = async (job: Job, startedAt: string) => ({
    ...(await wellBehaved.makeImage(job, startedAt)),
    targets: TARGETS,
  });
  await bench.run('processImage', { ...picture.activities, makeImage }, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    expect(picture.asked.map(({ target }) => target).sort()).toEqual(['archive', 'cdn']);
  });
  const twin = scene();
  const inspectMedia = async () => ({
    ...{ outcome: 'published' as const, state: 'ready' as const, kind: 'video' as const },
    ...{ renditions: ['720p'], missing: [], targets: TARGETS },
  });
  await bench.run('processVideo', { ...twin.activities, inspectMedia }, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    expect(twin.asked.map(({ target }) => target).sort()).toEqual(['archive', 'cdn']);
  });
});

test('a target that is given up leaves the asset as it is', async () => {
  const { activities } = scene(async ({ target }) => {
    if (target === 'archive') throw ApplicationFailure.nonRetryable('It is gone.', 'OBJECT_GONE');
  });
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready', missing: [] });
  });
});

test('a cancel while it is delivered ends that, and nothing else', async () => {
  const discarded: Job[] = [];
  const { activities } = scene(() => untilCancelled());
  const discardOutputs = async (job: Job): Promise<void> => void discarded.push(job);
  await bench.run('processVideo', { ...activities, discardOutputs }, async (handle) => {
    await untilProgress(handle, 'it is delivered', ({ stage }) => stage === 'delivering');
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    expect(discarded).toEqual([]);
  });
});
