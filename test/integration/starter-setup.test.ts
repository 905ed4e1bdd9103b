import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { ensureSearchAttributes } from '../../src/local/init.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { openBench, withStarters } from '../support/starter.js';

const stack = useStack();

test('a Temporal that is not set up is said loudly, with the way out; nothing is dead-lettered, and all starts afterwards', async () => {
  const namespace = `ns-${randomUUID().slice(0, 8)}`;
  const { temporal } = stack.config;
  const bench = await openBench(await stack.isolated({ overrides: { temporal: { ...temporal, namespace } } }));
  try {
    await bench.upload(['a.mp4', 'b.mp4']);
    await bench.produce(['a.mp4', 'b.mp4'].map((value) => ({ key: 'video/mp4', value })));
    await withStarters(bench.config, 1, async ([starter]) => {
      const error = (advice: string) =>
        until(
          advice,
          () => starter!.log.split('\n').some((line) => line.includes('"error"') && line.includes(advice)),
          30_000,
        );
      await error(`Temporal has no namespace ${namespace}`);
      await bench.temporal.workflowService.registerNamespace({
        namespace,
        workflowExecutionRetentionPeriod: { seconds: 86_400 as unknown as never },
      });
      await error('does not know our search attributes: run `mediamill init`');
      expect(await bench.lag()).toBe(2n);
      await ensureSearchAttributes(bench.config.temporal);
      await until('all events are committed', async () => (await bench.lag()) === 0n, 60_000);
      expect(starter!.log).toContain('resumed');
    });
    expect(await bench.letters()).toEqual([]);
    await until('both are visible', async () => (await bench.countWorkflows()) === 2, 10_000);
  } finally {
    await bench.close();
  }
}, 120_000);
