import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import { createSimulateEncode } from '../../../src/activities/simulated/simulate-encode.js';
import type { EncodeTimes } from '../../../src/contracts/ingest.js';
import type { HeartbeatDetails } from '../../../src/contracts/progress.js';
import { createLogger } from '../../../src/logging/index.js';

const simulateEncode = createSimulateEncode({ logger: createLogger({ backend: 'pino', level: 'error' }) });

async function encode(seconds: number, attempt = 1, left?: Partial<HeartbeatDetails>) {
  const environment = new MockActivityEnvironment(
    {
      attempt,
      scheduledTimestampMs: Date.parse('2030-01-01T00:00:00Z'),
      ...(left && {
        heartbeatDetails: { v: 1, strikes: 0, failures: 0, step: 'encode', what: 'a', percent: 0, ...left },
      }),
    },
    { logger: new DefaultLogger('ERROR') },
  );
  const beats: HeartbeatDetails[] = [];
  environment.on('heartbeat', (details: HeartbeatDetails) => beats.push(details));
  const began = performance.now();
  const times: EncodeTimes = await environment.run(simulateEncode, { id: 'a', seconds });
  return { times, beats, took: (performance.now() - began) / 1000 };
}

test('it takes its time, and says how far it is', async () => {
  const { times, beats, took } = await encode(2.5);
  expect(took).toBeGreaterThanOrEqual(2.4);
  const positions = beats.slice(1).map(({ percent }) => percent);
  expect(positions.length).toBeGreaterThanOrEqual(2);
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  expect(beats.at(-1)).toMatchObject({ step: 'encode', what: 'a', startedAt: times.startedAt });
});

test('an attempt after a kill goes on where the last one was heard of; the first start counts', async () => {
  const startedAt = '2029-12-31T23:00:00.000Z';
  // Anew it would take an hour.
  const { times, beats } = await encode(3600, 2, { percent: 99.99, startedAt });
  expect(times.startedAt).toBe(startedAt);
  expect(Math.min(...beats.map(({ percent }) => percent))).toBeGreaterThanOrEqual(99.99);
}, 30_000);

test('of an attempt that was never heard of, the start is when it could have begun', async () => {
  const { times } = await encode(0.1, 2);
  expect(times.startedAt).toBe('2030-01-01T00:00:00.000Z');
});

test('nothing to do takes no time', async () => {
  const { times } = await encode(0);
  expect(Date.parse(times.encodedAt)).toBeGreaterThanOrEqual(Date.parse(times.startedAt));
});
