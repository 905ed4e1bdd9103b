/** What is held back is made, and neither published nor told of until its time. */
import type { WorkflowHandle } from '@temporalio/client';

import type { MadeImage } from '../../src/contracts/activities.js';
import type { Job } from '../../src/contracts/assets.js';
import { UPDATE_SET_DEADLINE, type Progress } from '../../src/contracts/progress.js';
import { useStack } from '../support/stack.js';
import { makeJob, openBench, published, untilProgress, wellBehaved, type Bench, type Scripted } from './support.js';

const stack = useStack();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench(stack.config.temporal);
});
afterAll(() => bench.close());

const HOUR = 3_600_000;
const inAnHour = (): string => new Date(Date.now() + HOUR).toISOString();

/** Activities that write down what others would see of it. */
function writingDown(seen: string[], more: Scripted = {}): Scripted {
  return {
    ...more,
    announcePlayable: async () => void seen.push('playable'),
    publishMedia: async (request) => {
      seen.push('published');
      return published(request);
    },
    publishImage: async (job, startedAt, made, missing) => {
      seen.push('published');
      return wellBehaved.publishImage(job, startedAt, made, missing);
    },
  };
}

const heldBack = (
  publishNotBefore: string,
  activities: Scripted,
  type: string,
  use: (handle: WorkflowHandle) => Promise<void>,
) => bench.run(type, activities, use, (queues) => [{ ...makeJob(), publishNotBefore } satisfies Job, queues]);

const allMade = ({ parts }: Progress): boolean => parts.length > 0 && parts.every(({ state }) => state === 'done');
const letGo = (handle: WorkflowHandle): Promise<void> =>
  handle.executeUpdate(UPDATE_SET_DEADLINE, { args: [{ publishNotBefore: null }] });

test('a video is made at once, and published when it is let go', async () => {
  const seen: string[] = [];
  await heldBack(inAnHour(), writingDown(seen), 'processVideo', async (handle) => {
    await untilProgress(handle, 'all made', allMade);
    // A timer, not a worker, waits.
    const { pendingActivities } = (await handle.describe()).raw;
    expect(pendingActivities ?? []).toEqual([]);
    expect(seen).toEqual([]);
    await letGo(handle);
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    expect(seen).toEqual(['published']);
  });
});

test('a video that is let go while it is made can be watched from then on', async () => {
  const seen: string[] = [];
  let finish = (): void => undefined;
  const made = new Promise<void>((resolve) => (finish = resolve));
  const activities = writingDown(seen, {
    encodeAudio: async (...args) => {
      await made;
      return wellBehaved.encodeAudio(...args);
    },
  });
  await heldBack(inAnHour(), activities, 'processVideo', async (handle) => {
    await untilProgress(
      handle,
      'made but for its sound',
      ({ chunks }) => chunks?.done === chunks?.total && chunks !== undefined,
    );
    expect(seen).toEqual([]);
    await letGo(handle);
    await untilProgress(handle, 'playable', ({ state }) => state === 'playable');
    finish();
    await handle.result();
    expect(seen).toEqual(['playable', 'published']);
  });
});

test('its time comes by itself, and another one counts from when it is said', async () => {
  const seen: string[] = [];
  await heldBack(inAnHour(), writingDown(seen), 'processVideo', async (handle) => {
    await untilProgress(handle, 'all made', allMade);
    const refused = handle.executeUpdate(UPDATE_SET_DEADLINE, { args: [{ publishNotBefore: 'soon' }] });
    await expect(refused).rejects.toThrow();
    // Verifying takes a while: the step that publishes begins before it.
    const soon = new Date(Date.now() + 18_000).toISOString();
    await handle.executeUpdate(UPDATE_SET_DEADLINE, { args: [{ publishNotBefore: soon }] });
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    expect(seen).toEqual(['published']);
  });
});

test('an image is made, and published in a step of its own', async () => {
  const seen: string[] = [];
  const made: MadeImage = {
    renditions: [{ ...{ name: 'thumb.jpg', type: 'thumbnail', key: 'k', mime: 'image/jpeg', bytes: 1 } }],
    image: {} as never,
    reader: 'sharp',
  };
  const activities = writingDown(seen, { makeImage: async () => ({ outcome: 'animated', made, loops: [] }) });
  await heldBack(inAnHour(), activities, 'processImage', async (handle) => {
    await untilProgress(handle, 'all made', allMade);
    expect(seen).toEqual([]);
    await letGo(handle);
    expect(await handle.result()).toMatchObject({ kind: 'image', state: 'ready' });
    expect(seen).toEqual(['published']);
  });
});
