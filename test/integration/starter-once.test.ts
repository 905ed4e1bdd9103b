import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { allForms, openBench, seeded, shuffled, withStarters, type Bench } from '../support/starter.js';

const stack = useStack();
const OBJECTS = 1_000;
const keys = Array.from({ length: OBJECTS }, (_, n) => `clips/${n} ü.mp4`);
const random = seeded(20261121);
let bench: Bench;

beforeAll(async () => {
  const overrides = { starter: { maxOpenWorkflows: 0 }, kafka: { sessionSeconds: 6 } };
  bench = await openBench(await stack.isolated({ overrides }));
  await bench.upload(keys);
}, 120_000);
afterAll(() => bench?.close());

test('1,000 uploads, each announced three times in another form, over two starters: exactly 1,000 workflows', async () => {
  await bench.produce(
    shuffled(
      keys.flatMap((key) => allForms(bench.config, key)),
      random,
    ),
  );
  await withStarters(bench.config, 2, async (starters) => {
    await until('all events are committed', async () => (await bench.lag()) === 0n, 90_000);
    await until('all workflows are visible', async () => (await bench.countWorkflows()) >= OBJECTS, 20_000);
    for (const starter of starters) starter.kill('SIGTERM');
    expect(await Promise.all(starters.map(({ exit }) => exit))).toEqual([0, 0]);
  });
  expect(await bench.countWorkflows()).toBe(OBJECTS);
  expect(await bench.letters()).toEqual([]);
}, 150_000);
