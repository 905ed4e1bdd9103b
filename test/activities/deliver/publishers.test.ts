/** The pool with a clock: what is started, kept, handed out, handed back and ended. */
import { afterEach, expect, test } from '@jest/globals';

import { Publishers } from '../../../src/activities/deliver/publishers.js';
import type { Publisher, Target } from '../../../src/activities/deliver/target.js';
import { loadConfig } from '../../../src/config/index.js';
import type { PoolRules } from '../../../src/contracts/publisher-pool.js';
import { createLogger } from '../../../src/logging/index.js';
import { until } from '../../support/processes.js';

const logger = createLogger({ ...loadConfig({ files: [], env: {} }).log, level: 'error' });
const RULES: PoolRules = { min: 0, max: 3, startSeconds: 1, reusable: false };
const never = new AbortController().signal;
const publisher: Publisher = { publish: async () => undefined };

/** A target whose starts a test ends. */
class Scripted implements Target {
  readonly kind = 'simulated';
  readonly rules: PoolRules;
  readonly starting: { ready(): void; fail(): void }[] = [];
  begun = 0;

  constructor(rules: Partial<PoolRules>) {
    this.rules = { ...RULES, ...rules };
  }

  start(signal: AbortSignal): Promise<Publisher> {
    this.begun += 1;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      this.starting.push({ ready: () => resolve(publisher), fail: () => reject(new Error('it does not start')) });
    });
  }
}

let open: Publishers[] = [];
function pool(rules: Partial<PoolRules> = {}): { target: Scripted; publishers: Publishers } {
  const target = new Scripted(rules);
  const publishers = new Publishers(target, logger);
  open.push(publishers);
  return { target, publishers };
}
afterEach(async () => {
  for (const one of open) await one.close();
  open = [];
});

test('keeps the least ready, and replaces what was used', async () => {
  const { target, publishers } = pool({ min: 2 });
  publishers.warm();
  expect(target.begun).toBe(2);
  for (const start of target.starting) start.ready();
  await until('both are ready', () => publishers.state.ready === 2, 20_000);
  const taken = await publishers.take('a', Infinity, never);
  expect(taken.waitedSeconds).toBeLessThan(1);
  expect(target.begun).toBe(3);
  taken.end(true);
  expect(publishers.state).toMatchObject({ busy: 0, ready: 1, starting: 1 });
});

test('of those who wait, the one with the least time left is served first', async () => {
  const { target, publishers } = pool({ max: 1 });
  const served: string[] = [];
  const now = Date.now();
  const waits = [
    ['whenever', Infinity],
    ['soon', now + 50_000],
    ['soonest', now + 40_000],
  ].map(async ([id, by]) => {
    const { end } = await publishers.take(id as string, by as number, never);
    served.push(id as string);
    end(true);
  });
  for (let at = 0; at < 3; at++) {
    await until('another one starts', () => target.starting.length > at, 20_000);
    target.starting[at]!.ready();
  }
  await Promise.all(waits);
  expect(served).toEqual(['soonest', 'soon', 'whenever']);
});

test('who does not wait any more leaves, and nobody is served in his place', async () => {
  const { target, publishers } = pool();
  const gone = new AbortController();
  const wait = publishers.take('a', Infinity, gone.signal);
  const reason = new Error('drained');
  gone.abort(reason);
  await expect(wait).rejects.toBe(reason);
  expect(publishers.state.waiting).toBe(0);
  target.starting[0]!.ready();
  const taken = await publishers.take('b', Infinity, never);
  taken.end(true);
});

test('when none can be started, whoever would have been served hears of it', async () => {
  const { target, publishers } = pool();
  const wait = publishers.take('a', Infinity, never);
  target.starting[0]!.fail();
  await expect(wait).rejects.toMatchObject({ code: 'TARGET_UNAVAILABLE' });
  expect(publishers.state).toMatchObject({ waiting: 0, starting: 0 });
});

test('a promise is given when a publisher is sure to be there in time, to the least slack first', async () => {
  const { target, publishers } = pool({ max: 1, startSeconds: 10 });
  const promised: string[] = [];
  const wish = (id: string, fromSeconds: number, bySeconds: number): Promise<void> =>
    publishers.promise({ id, fromSeconds, bySeconds }, never).then((is) => void promised.push(`${id} ${is}`));
  const loose = wish('loose', 1, 4);
  const tight = wish('tight', 1, 1.5);
  await until('a start', () => target.starting.length === 1, 20_000);
  expect(promised).toEqual([]);
  target.starting[0]!.ready();
  await tight;
  expect(promised).toEqual(['tight true']);
  expect(publishers.state).toMatchObject({ reserved: 1 });
  (await publishers.take('tight', Date.now() + 1_000, never)).end(true);
  await until('a start', () => target.starting.length === 2, 20_000);
  target.starting[1]!.ready();
  await loose;
  expect(promised).toEqual(['tight true', 'loose true']);
});

test('who can not be in time is not kept waiting for a promise', async () => {
  const { publishers } = pool();
  expect(await publishers.promise({ id: 'late', fromSeconds: 0.5, bySeconds: 0.4 }, never)).toBe(false);
  expect(publishers.state).toMatchObject({ reserved: 0, starting: 1 });
});

test('what is given back is free again', async () => {
  const { publishers, target } = pool({ max: 1, startSeconds: 0.1 });
  expect(await publishers.promise({ id: 'a', fromSeconds: 60, bySeconds: 60.05 }, never)).toBe(true);
  publishers.release('a');
  expect(publishers.state.reserved).toBe(0);
  expect(target.begun).toBe(0);
});

test('closing ends what starts and tells those who wait', async () => {
  const { target, publishers } = pool({ min: 1 });
  publishers.warm();
  const wait = publishers.take('a', Infinity, never).catch((error: unknown) => error);
  await publishers.close();
  expect(await wait).toMatchObject({ code: 'TARGET_UNAVAILABLE' });
  expect(publishers.state).toMatchObject({ starting: 0, ready: 0, waiting: 0 });
  expect(target.begun).toBe(1);
});
