import { expect, test } from '@jest/globals';
import { Kafka, logLevel, AssignerProtocol, type PartitionAssigner } from 'kafkajs';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { openBench, spawnStarter, withStarters } from '../support/starter.js';

const stack = useStack();

test('SIGTERM ends a working starter with 0 and leaves nothing uncommitted that it has started', async () => {
  const bench = await openBench(await stack.isolated({ overrides: { starter: { maxOpenWorkflows: 0 } } }));
  try {
    const keys = Array.from({ length: 300 }, (_, n) => `${n}.mp4`);
    await bench.upload(keys);
    await withStarters(bench.config, 1, async ([starter]) => {
      await bench.produce(keys.map((key) => ({ key, value: JSON.stringify({ key: 'video/mp4', body: key }) })));
      await until('it works', async () => (await bench.countWorkflows()) > 0, 20_000);
      starter!.kill('SIGTERM');
      expect(await starter!.exit).toBe(0);
    });
    const committed = BigInt(keys.length) - (await bench.lag());
    await until(
      'all that is committed is started',
      async () => BigInt(await bench.countWorkflows()) >= committed,
      20_000,
    );
    const started = await bench.countWorkflows();
    // Offsets have no gaps, so what was started behind an unfinished event (at most the concurrency) is redelivered.
    expect(committed).toBeGreaterThanOrEqual(BigInt(started - 2 * bench.config.starter.concurrency));
  } finally {
    await bench.close();
  }
}, 60_000);

test('a consumer that crashes for good ends the process with 1', async () => {
  const config = await stack.isolated();
  // A member that speaks another group protocol: the broker refuses the starter, and no retry helps.
  const foreign: PartitionAssigner = () => ({
    name: 'foreign',
    version: 0,
    assign: () => Promise.resolve([]),
    protocol: ({ topics }) => ({
      name: 'foreign',
      metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
    }),
  });
  const kafka = new Kafka({ brokers: config.kafka.brokers, logLevel: logLevel.NOTHING });
  const other = kafka.consumer({ groupId: config.kafka.groupId, partitionAssigners: [foreign] });
  await other.connect();
  try {
    await other.subscribe({ topic: config.kafka.uploadsTopic });
    await other.run({ eachMessage: () => Promise.resolve() });
    const starter = spawnStarter(config);
    expect(await starter.exit).toBe(1);
    expect(starter.log).toContain('starter failed');
  } finally {
    await other.disconnect();
  }
}, 60_000);

test('without a broker it ends with 1 and says why', async () => {
  const config = await stack.isolated();
  const starter = spawnStarter({ ...config, kafka: { ...config.kafka, brokers: ['127.0.0.1:1'] } });
  expect(await starter.exit).toBe(1);
  expect(starter.log).toContain('EVENTS_UNAVAILABLE');
}, 60_000);
