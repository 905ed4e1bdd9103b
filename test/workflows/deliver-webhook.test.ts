/** Three days of a receiver that does not answer, on Temporal's time-skipping server. */
import { randomUUID } from 'node:crypto';

import { Worker } from '@temporalio/worker';
import { ApplicationFailure } from '@temporalio/common';

import type { QueueNames } from '../../src/contracts/names.js';
import type { DeliveryOutcome, DeliverySummary, WebhookActivities } from '../../src/contracts/webhooks.js';
import { useTimeSkipping } from '../support/time-skipping.js';
import { whileRunning } from '../support/while-running.js';
import { bundled, record } from './support.js';

const HOUR = 3_600_000;
const skipping = useTimeSkipping();

interface Run {
  readonly summary: DeliverySummary;
  /** When attempts were made. Milliseconds after the first. */
  readonly attempts: readonly number[];
  readonly givenUp: readonly string[];
}

/** @param answer to each attempt, from 1 */
async function deliver(answer: (attempt: number, sinceFirst: number) => DeliveryOutcome): Promise<Run> {
  const { env } = skipping;
  const queue = `webhooks-${randomUUID()}`;
  const queues: QueueNames = { media: queue, video: queue, videoUrgent: queue, image: queue, publish: queue };
  const times: number[] = [];
  const givenUp: string[] = [];
  const activities: WebhookActivities = {
    attemptDelivery: async () => {
      times.push(await env.currentTimeMs());
      return answer(times.length, times.at(-1)! - times[0]!);
    },
    giveUpDelivery: async (id) => void givenUp.push(id),
  };
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: queue,
    ...bundled,
    activities,
  });
  const handle = await env.client.workflow.start('deliverWebhook', {
    workflowId: `webhook/${randomUUID()}`,
    taskQueue: queue,
    args: [{ deliveryId: 'd1', tenant: 'acme', retrySeconds: 72 * 3600 }, queues],
  });
  const summary = await whileRunning(worker, () => handle.result() as Promise<DeliverySummary>);
  if (process.env['RECORD_HISTORIES']) await record(handle);
  return { summary, attempts: times.map((time) => time - times[0]!), givenUp };
}

test('a receiver that never answers is tried ever more rarely for three days, to the end, then given up', async () => {
  const { summary, attempts, givenUp } = await deliver(() => ({ outcome: 'refused' }));
  expect(summary).toEqual({ outcome: 'failed', attempts: attempts.length });
  expect(givenUp).toEqual(['d1']);
  expect(attempts.length).toBeGreaterThanOrEqual(12);
  expect(attempts.length).toBeLessThanOrEqual(14);
  const waits = attempts.slice(1).map((time, index) => time - attempts[index]!);
  for (const [index, wait] of [5, 30, 300, 1800, 7200, 18_000, 36_000].entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(wait * 1000);
    expect(waits[index]).toBeLessThanOrEqual(wait * 1100 + 5_000);
  }
  expect(attempts.at(-1)! / HOUR).toBeGreaterThan(71.9);
  expect(attempts.at(-1)! / HOUR).toBeLessThan(72.1);
}, 60_000);

test('a receiver that is back after two days gets its event, once', async () => {
  const { summary, attempts, givenUp } = await deliver((_attempt, since) =>
    since > 48 * HOUR ? { outcome: 'delivered' } : { outcome: 'refused' },
  );
  expect(summary).toEqual({ outcome: 'delivered', attempts: attempts.length });
  expect(attempts.filter((time) => time > 48 * HOUR)).toHaveLength(1);
  expect(givenUp).toEqual([]);
}, 60_000);

test('it is left in peace for as long as it asks', async () => {
  const { attempts } = await deliver((attempt) =>
    attempt === 1 ? { outcome: 'refused', retryAfter: 3 * 3600 } : { outcome: 'delivered' },
  );
  expect(attempts).toHaveLength(2);
  expect(attempts[1]! / HOUR).toBeGreaterThanOrEqual(3);
  expect(attempts[1]! / HOUR).toBeLessThan(3.1);
}, 60_000);

test('an outage of ours is none of its attempts', async () => {
  let outages = 0;
  const { summary } = await deliver(() => {
    outages += 1;
    if (outages <= 20) throw ApplicationFailure.create({ type: 'CATALOGUE_UNAVAILABLE', message: 'away' });
    return { outcome: 'delivered' };
  });
  expect(summary).toEqual({ outcome: 'delivered', attempts: 1 });
}, 60_000);

test('where nobody is to be told any more it ends', async () => {
  const { summary, givenUp } = await deliver(() => ({ outcome: 'over' }));
  expect(summary).toEqual({ outcome: 'over', attempts: 1 });
  expect(givenUp).toEqual([]);
}, 60_000);
