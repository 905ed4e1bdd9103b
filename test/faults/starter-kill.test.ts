import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { allForms, openBench, seeded, shuffled, spawnStarter, withStarters, type Bench } from '../support/starter.js';

const stack = useStack();
const OBJECTS = 1_000;
/** Two starters die in each: the group notices both deaths within one session timeout. */
const ROUNDS = 10;
const keys = Array.from({ length: OBJECTS }, (_, n) => `${n}.mp4`);
const random = seeded(7);
let bench: Bench;

beforeAll(async () => {
  const overrides = { starter: { maxOpenWorkflows: 0 }, kafka: { sessionSeconds: 6 } };
  bench = await openBench(await stack.isolated({ overrides }));
  await bench.upload(keys);
}, 120_000);
afterAll(() => bench?.close());

test('a starter killed 20 times at random points: exactly 1,000 workflows, nothing dead-lettered', async () => {
  const events = shuffled(
    keys.flatMap((key) => allForms(bench.config, key)),
    random,
  );
  const slice = Math.ceil(events.length / ROUNDS);
  let unfinished = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    await bench.produce(events.slice(round * slice, (round + 1) * slice));
    const deaths = [0, 1].map(async () => {
      const delay = random() * 1_500;
      const starter = spawnStarter(bench.config);
      await starter.logged('starter ready');
      await sleep(delay);
      starter.kill('SIGKILL');
      expect(await starter.exit).toBe('SIGKILL');
    });
    await Promise.all(deaths);
    if ((await bench.lag()) > 0n) unfinished += 1;
  }
  // They died at work, not after it.
  expect(unfinished).toBeGreaterThanOrEqual(ROUNDS / 2);

  await withStarters(bench.config, 1, async () => {
    await until('all events are committed', async () => (await bench.lag()) === 0n, 90_000);
    await until('all workflows are visible', async () => (await bench.countWorkflows()) >= OBJECTS, 20_000);
  });
  expect(await bench.countWorkflows()).toBe(OBJECTS);
  expect(await bench.letters()).toEqual([]);
}, 300_000);
