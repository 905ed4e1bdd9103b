/** The workflows `deleteAsset` and `housekeeping`. */
import { ApplicationFailure } from '@temporalio/common';

import type { Counts } from '../../src/contracts/lifecycle.js';
import { useStack } from '../support/stack.js';
import { openBench, type Bench } from './support.js';

const stack = useStack();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench(stack.config.temporal);
});
afterAll(() => bench.close());

test('a deletion is tried until it is done', async () => {
  const asked: string[] = [];
  const activities = {
    purgeAsset: async (assetId: string) => {
      asked.push(assetId);
      if (asked.length < 3) throw ApplicationFailure.create({ type: 'Waiting', nextRetryDelay: '50ms' });
    },
  };
  const args = (queues: unknown): unknown[] => [{ assetId: 'abc', tenant: 'acme' }, queues];
  await bench.run('deleteAsset', activities, async (handle) => expect(await handle.result()).toBeUndefined(), args);
  expect(asked).toEqual(['abc', 'abc', 'abc']);
});

test('a step of the housekeeping that can not be done keeps none of the others from being done', async () => {
  const done: string[] = [];
  const step = (name: string) => async (): Promise<Counts> => {
    done.push(name);
    if (name === 'sweepAssets') throw ApplicationFailure.nonRetryable('no', 'INTERNAL');
    return { [name]: 1 };
  };
  const names = ['sweepUploads', 'sweepAssets', 'applyRetention', 'sweepStore'];
  const activities = Object.fromEntries(names.map((name) => [name, step(name)]));
  await bench.run(
    'housekeeping',
    activities,
    async (handle) => {
      await expect(handle.result()).rejects.toMatchObject({ cause: { cause: { type: 'INTERNAL' } } });
      expect(done).toEqual(names);
    },
    (queues) => [queues],
  );
});

test('what each step did is the result', async () => {
  const one = async (): Promise<Counts> => ({ one: 1 });
  const activities = { sweepUploads: one, sweepAssets: one, applyRetention: one, sweepStore: one };
  await bench.run(
    'housekeeping',
    activities,
    async (handle) => {
      const counts = { one: 1 };
      expect(await handle.result()).toEqual({
        ...{ sweepUploads: counts, sweepAssets: counts, applyRetention: counts, sweepStore: counts },
      });
    },
    (queues) => [queues],
  );
});
