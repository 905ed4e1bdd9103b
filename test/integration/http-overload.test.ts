/** A server that can not keep up says so, and to whom it may concern that it is alive all the same. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { jest } from '@jest/globals';

import { createLogger } from '../../src/logging/index.js';
import { serveMetrics, type MetricsServer } from '../../src/metrics/index.js';
import { openApi, problemOf, type Client, type TestApi } from '../support/api.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';

jest.setTimeout(180_000);

/** Of work without a pause: more than the 1,500 that the server bears on average. Milliseconds. */
const TURN = 1_700;
/** The server looks every five seconds, and has seen idle times before. */
const MAX_TURNS = 60;
const WORK = Buffer.alloc(64 * 1024);

const stack = useStack();
let api: TestApi;
let caller: Client;
let metrics: MetricsServer;

beforeAll(async () => {
  api = await openApi(await stack.isolated({ database: true }));
  caller = await api.as('busy');
  const config = { kind: 'http', metrics: { host: '127.0.0.1', port: 0 } } as const;
  metrics = await serveMetrics(config, createLogger({ level: 'error', backend: 'pino' }));
}, 180_000);
afterAll(async () => {
  await metrics.close();
  await api.close();
});

/** Every turn of the event loop takes too long until `isDone`: all that is asked waits for one turn, and another. */
async function overload(isDone: () => boolean): Promise<void> {
  for (let turn = 0; !isDone(); turn += 1) {
    if (turn === MAX_TURNS) throw new Error('It was not done.');
    const end = performance.now() + TURN;
    while (performance.now() < end) createHash('sha256').update(WORK).digest();
    await nextTurn();
  }
}

/** @returns what is answered while every turn takes too long */
async function whileOverloaded<T>(ask: () => Promise<T>): Promise<T> {
  await overload(() => api.server.isUnderPressure());
  let isAnswered = false;
  const [answer] = await Promise.all([ask().finally(() => (isAnswered = true)), overload(() => isAnswered)]);
  return answer;
}

const scrape = async (): Promise<string> => (await fetch(`http://127.0.0.1:${metrics.port}/metrics`)).text();

it('overloaded, refuses what it is asked with 503 and Retry-After, and serves again afterwards', async () => {
  expect((await caller.get('/v1/assets')).status).toBe(200);

  const upload = { method: 'POST', body: 'an upload', headers: { 'content-type': 'video/mp4' } };
  const [refused, alive, numbers] = await whileOverloaded(() =>
    Promise.all([
      Promise.all([
        caller.get('/v1/assets', { 'x-request-id': 'too-much' }),
        caller.request('/v1/assets', upload),
        // No instance to send more to.
        fetch(`${api.url}/readyz`),
        // Nobody is told that a key is wrong by a server that has no time to look.
        fetch(`${api.url}/images`),
        fetch(`${api.url}/nowhere`),
      ]),
      fetch(`${api.url}/healthz`),
      scrape(),
    ]),
  );
  for (const answer of refused) {
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await problemOf(answer.clone())).toBe('503 overloaded');
    const { instance } = (await answer.json()) as { instance: string };
    expect(instance).toBe(`urn:mediamill:request:${answer.headers.get('x-request-id')}`);
  }
  expect(refused[0].headers.get('x-request-id')).toBe('too-much');
  // A supervisor must not end what is busy only.
  expect([alive.status, await alive.json()]).toEqual([200, { status: 'ok' }]);
  expect(numbers).toContain('mediamill_http_request_duration_seconds');

  const isServed = async (): Promise<boolean> => (await caller.get('/v1/assets')).status === 200;
  await until('it serves again', isServed, 60_000);
  expect(api.server.isUnderPressure()).toBe(false);
  expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
  expect(await problemOf(await fetch(`${api.url}/images`))).toBe('401 unauthorized');
  // What was refused left nothing behind, and was counted.
  expect(await (await caller.get('/v1/assets')).json()).toEqual({ items: [] });
  expect(await scrape()).toMatch(/_count\{method="POST",route="\/v1\/assets",status="5xx"\} 1$/m);
  expect(await (await fetch(`${api.url}/openapi.json`)).text()).toContain('"urn:mediamill:problem:overloaded"');
});
