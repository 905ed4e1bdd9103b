import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { openBench, withStarters, type Bench } from '../support/starter.js';

const stack = useStack();
const LIMIT = 20;
const keys = Array.from({ length: 50 }, (_, n) => `${n}.mp4`);
let bench: Bench;

beforeAll(async () => {
  bench = await openBench(
    await stack.isolated({ overrides: { starter: { maxOpenWorkflows: LIMIT }, kafka: { sessionSeconds: 6 } } }),
  );
  await bench.upload(keys);
}, 60_000);
afterAll(() => bench?.close());

test('with the queue full consumption pauses, stays in its group beyond the session timeout, and resumes', async () => {
  const admin = new Kafka({ brokers: bench.config.kafka.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const members = async (): Promise<string[]> => {
    const { groups } = await admin.describeGroups([bench.config.kafka.groupId]);
    expect(groups[0]?.state).toBe('Stable');
    return groups[0]!.members.map(({ memberId }) => memberId);
  };
  try {
    await bench.produce(keys.map((value) => ({ key: 'video/mp4', value })));
    await withStarters(bench.config, 1, async ([starter]) => {
      await starter!.logged('paused: as many workflows are open');
      const before = await members();
      await sleep(8_000);
      expect(await bench.countWorkflows('open')).toBe(LIMIT);
      expect(await bench.lag()).toBe(BigInt(keys.length - LIMIT));
      expect(await members()).toEqual(before);

      for (let started = LIMIT; started < keys.length;) {
        await end(bench);
        started = Math.min(started + LIMIT, keys.length);
        await until(`${started} have been started`, async () => (await bench.countWorkflows()) === started, 15_000);
      }
      await until('consumer lag 0', async () => (await bench.lag()) === 0n, 10_000);
      expect(await members()).toEqual(before);
    });
  } finally {
    await admin.disconnect();
  }
}, 90_000);

/** Ends all open workflows of the test: nobody else works on them. */
async function end({ temporal, config }: Bench): Promise<void> {
  const query = `TaskQueue = '${config.queues.media}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of temporal.workflow.list({ query })) {
    await temporal.workflow.getHandle(workflowId).terminate('done');
  }
}
