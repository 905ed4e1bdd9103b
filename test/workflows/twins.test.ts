/** Uploads of the same bytes, as their workflows see them. */
import { ApplicationFailure } from '@temporalio/common';

import type { Adopted, Inspection } from '../../src/contracts/activities.js';
import type { Progress } from '../../src/contracts/progress.js';
import { useStack } from '../support/stack.js';
import { damaged, openBench, plan, summaries, untilCancelled, untilProgress, type Bench } from './support.js';

const stack = useStack();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench(stack.config.temporal);
});
afterAll(() => bench.close());

const adopted: Adopted = { outcome: 'published', kind: 'video', state: 'ready', renditions: ['720p'], missing: [] };
const media: Inspection = { outcome: 'media', plan };
const waiting = (): ApplicationFailure =>
  ApplicationFailure.create({ type: 'Waiting', message: 'not yet', nextRetryDelay: '50ms' });

test('what another upload of the same bytes has published is this one too, and nothing is made', async () => {
  await bench.run('processVideo', { inspectMedia: async () => adopted }, async (handle, { assetId }) => {
    expect(await handle.result()).toEqual({
      assetId,
      kind: 'video',
      state: 'ready',
      renditions: ['720p'],
      missing: [],
    });
    expect(await summaries(handle)).toEqual(['inspect']);
    expect(await handle.query<Progress>('progress')).toMatchObject({ state: 'ready' });
  });
});

test('while the same bytes are being made, it waits in one step however long', async () => {
  let asked = 0;
  const activities = {
    inspectMedia: async (): Promise<Inspection> => ({ outcome: 'twin', sha256: 'a' }),
    awaitTwin: async (): Promise<Adopted> => {
      asked += 1;
      if (asked < 3) throw waiting();
      return adopted;
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready', renditions: ['720p'] });
    expect(await summaries(handle)).toEqual(['inspect', 'wait for the same bytes']);
  });
}, 20_000);

test('when nothing comes of the other one, it is made after all', async () => {
  let inspected = 0;
  const activities = {
    inspectMedia: async (): Promise<Inspection> => {
      inspected += 1;
      return inspected === 1 ? { outcome: 'twin', sha256: 'a' } : media;
    },
    awaitTwin: async () => ({ outcome: 'mine' }) as const,
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready', renditions: ['720p', '360p', 'audio-0'] });
    expect(inspected).toBe(2);
  });
});

test('one that waits can be cancelled', async () => {
  const activities = {
    inspectMedia: async (): Promise<Inspection> => ({ outcome: 'twin', sha256: 'a' }),
    awaitTwin: () => untilCancelled(),
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilProgress(handle, 'waiting', ({ stage }) => stage === 'waiting');
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { message: expect.stringMatching(/cancel/i) } });
    expect(await handle.query<Progress>('progress')).toMatchObject({ state: 'cancelled' });
  });
});

test('a checksum that nobody knows is found out beside the encoding', async () => {
  let hashed = 0;
  const activities = {
    inspectMedia: async (): Promise<Inspection> => ({ ...media, unhashed: true }),
    hashSource: async () => void (hashed += 1),
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    expect(hashed).toBe(1);
  });
});

test('one that can not be had takes nothing from the video', async () => {
  const activities = {
    inspectMedia: async (): Promise<Inspection> => ({ ...media, unhashed: true }),
    hashSource: async () => {
      throw damaged();
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready', missing: [] });
  });
});
