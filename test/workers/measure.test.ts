import { expect, it } from '@jest/globals';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Context } from '@temporalio/activity';

import { DEFAULT_QUEUES } from '../../src/contracts/names.js';
import { metricsOf } from '../../src/metrics/metrics.js';
import { measured } from '../../src/workers/measure.js';

const QUEUES = { ...DEFAULT_QUEUES, videoUrgent: 'somewhere-else' };

/** What the interceptor asks of a context. */
function contextOf(how: { readonly cancelled?: boolean; readonly drained?: boolean } = {}): Context {
  return {
    info: { activityType: 'encodeChunk', currentAttemptScheduledTimestampMs: Date.now() - 2_000 },
    cancellationSignal: how.cancelled || how.drained ? AbortSignal.abort() : new AbortController().signal,
    cancellationDetails: how.drained ? { workerShutdown: true } : undefined,
  } as unknown as Context;
}

async function attempt(context: Context, end: () => Promise<unknown>): Promise<unknown> {
  const { execute } = measured('somewhere-else', QUEUES)(context).inbound!;
  return execute!({ args: [], headers: {} }, end);
}

async function valueOf(name: string, labels: Record<string, string>): Promise<number> {
  const families = metricsOf('worker') as unknown as {
    name: string;
    get(): Promise<{ values: { value: number; metricName?: string; labels: Record<string, string> }[] }>;
  }[];
  const { values } = await families.find((family) => name.startsWith(family.name))!.get();
  const isIt = (given: Record<string, string>): boolean =>
    Object.entries(labels).every(([label, value]) => given[label] === value);
  return values.find((one) => (one.metricName ?? name) === name && isIt(one.labels))?.value ?? 0;
}

const STEPS = 'mediamill_step_duration_seconds_count';
const benign = ApplicationFailure.create({ type: 'Waiting', category: ApplicationFailureCategory.BENIGN });

it.each([
  ['ok', contextOf(), async () => 'done'],
  ['failed', contextOf(), async () => Promise.reject(ApplicationFailure.create({ type: 'DAMAGED_FILE' }))],
  ['waiting', contextOf(), async () => Promise.reject(benign)],
  ['cancelled', contextOf({ cancelled: true }), async () => Promise.reject(new Error('cancelled'))],
  ['drained', contextOf({ drained: true }), async () => Promise.reject(benign)],
])('an attempt ends: %s', async (outcome, context, end) => {
  const before = await valueOf(STEPS, { activity: 'encodeChunk', outcome });
  const ended = await attempt(context, end).catch((error: unknown) => error);
  expect(ended === 'done').toBe(outcome === 'ok');
  expect(await valueOf(STEPS, { activity: 'encodeChunk', outcome })).toBe(before + 1);
});

it('counts failures by their code, and what has none as other', async () => {
  const failing = async (error: Error): Promise<unknown> =>
    attempt(contextOf(), () => Promise.reject(error)).catch((thrown: unknown) => thrown);
  const labels = { activity: 'encodeChunk', code: 'STORE_UNAVAILABLE' };
  const before = await valueOf('mediamill_step_failures_total', labels);
  const failure = ApplicationFailure.create({ type: 'STORE_UNAVAILABLE' });
  // What it throws goes on as it is.
  expect(await failing(failure)).toBe(failure);
  expect(await valueOf('mediamill_step_failures_total', labels)).toBe(before + 1);
  await failing(new TypeError('a bug'));
  expect(await valueOf('mediamill_step_failures_total', { activity: 'encodeChunk', code: 'other' })).toBe(1);
});

it('tells how long it had waited, by what the queue is for', async () => {
  const before = await valueOf('mediamill_queue_wait_seconds_sum', { queue: 'video-urgent' });
  await attempt(contextOf(), async () => undefined);
  const waited = (await valueOf('mediamill_queue_wait_seconds_sum', { queue: 'video-urgent' })) - before;
  expect(waited).toBeGreaterThan(1.9);
});
