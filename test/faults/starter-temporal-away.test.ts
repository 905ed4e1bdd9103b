import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/processes.js';
import { privateStack } from '../support/stack.js';
import { openBench, withStarters, type Bench } from '../support/starter.js';

const own = privateStack();
let bench: Bench;

beforeAll(async () => {
  const { config } = own.stack;
  bench = await openBench({ ...config, starter: { ...config.starter, maxOpenWorkflows: 0 } });
}, 30_000);
afterAll(() => bench?.close());

test('Temporal stopped for 30 s under load and started again: nothing lost, nothing dead-lettered', async () => {
  let uploaded = 0;
  const uploadSome = async (until: number): Promise<void> => {
    while (Date.now() < until) {
      // The bucket announces them to Kafka: the whole way of an upload.
      await bench.upload(Array.from({ length: 4 }, () => `${uploaded++}.mp4`));
      await sleep(250);
    }
  };
  await withStarters(bench.config, 1, async ([starter]) => {
    await uploadSome(Date.now() + 3_000);
    const loading = uploadSome(Date.now() + 33_000);
    await own.stack.stopServer('temporal');
    await sleep(30_000);
    const atRestart = await bench.lag();
    await own.stack.startServer('temporal');
    await loading;
    await until('all events are committed', async () => (await bench.lag()) === 0n, 90_000);
    await until('all workflows are visible', async () => (await bench.countWorkflows()) === uploaded, 20_000);

    expect(atRestart).toBeGreaterThan(100n);
    expect(starter!.log).toContain('paused: the event is tried again later');
    expect(starter!.log).toContain('resumed');
    starter!.kill('SIGTERM');
    expect(await starter!.exit).toBe(0);
  });
  expect(uploaded).toBeGreaterThan(200);
  expect(await bench.letters()).toEqual([]);
}, 240_000);
