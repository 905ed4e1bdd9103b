/** What an attempt may still do after its process stood still. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import { onlyWhileAlive } from '../../src/activities/alive.js';
import { Pulse } from '../../src/activities/pulse.js';
import { activity } from '../../src/activities/scope.js';
import { createLogger } from '../../src/logging/index.js';

const FROZEN = { type: 'WorkerFrozen', nonRetryable: false };

describe('a pulse', () => {
  function at(timeoutMs: number | undefined) {
    let now = 0;
    const pulse = new Pulse(timeoutMs, () => now);
    return { pulse, wait: (ms: number): number => (now += ms) };
  }

  test('goes on for as long as it beats in time', () => {
    const { pulse, wait } = at(10_000);
    for (let i = 0; i < 20; i += 1) {
      wait(9_999);
      expect(pulse.beat()).toBe(true);
    }
    expect(() => pulse.assertAlive()).not.toThrow();
    expect(pulse.signal.aborted).toBe(false);
  });

  test('is over once it was silent for longer than the time-out, whoever notices first', () => {
    const writer = at(10_000);
    writer.wait(10_001);
    expect(() => writer.pulse.assertAlive()).toThrow(expect.objectContaining(FROZEN));
    expect(writer.pulse.signal.reason).toMatchObject(FROZEN);
    expect(writer.pulse.beat()).toBe(false);

    const timer = at(10_000);
    timer.wait(60_000);
    expect(timer.pulse.beat()).toBe(false);
    expect(timer.pulse.signal.aborted).toBe(true);
    expect(() => timer.pulse.assertAlive()).toThrow(expect.objectContaining(FROZEN));
  });

  test('has no end where nobody would take over', () => {
    const { pulse, wait } = at(undefined);
    wait(1e9);
    expect(pulse.beat()).toBe(true);
  });
});

describe('an activity whose process stood still', () => {
  const TIMEOUT_MS = 400;
  const freeze = (ms: number): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

  async function attempt(frozenMs: number) {
    const written: string[] = [];
    const write = (name: string) => async (): Promise<boolean> => written.push(name) > 0;
    const port = new Proxy({}, { get: (_, name) => write(String(name)) });
    const context = onlyWhileAlive({ store: port, catalogue: port, results: port } as Parameters<
      typeof onlyWhileAlive
    >[0]);
    const aborted: boolean[] = [];
    const step = activity(createLogger({ backend: 'pino', level: 'error' }), async ({ signal }) => {
      freeze(frozenMs);
      const writes = [
        () => context.store.putIfAbsent('b', 'k', Buffer.alloc(1), { contentType: 'video/mp4' }),
        () => context.store.remove('b', ['k']),
        () => context.catalogue.publish(...([] as unknown as Parameters<typeof context.catalogue.publish>)),
        () => context.results.state(...([] as unknown as Parameters<typeof context.results.state>)),
        // Looking does no harm.
        () => context.store.stat('b', 'k'),
      ];
      const ends = await Promise.allSettled(writes.map((one) => one()));
      aborted.push(signal.aborted);
      const failed = ends.find(({ status }) => status === 'rejected');
      if (failed) throw (failed as PromiseRejectedResult).reason;
    });
    const environment = new MockActivityEnvironment(
      { heartbeatTimeoutMs: TIMEOUT_MS },
      { logger: new DefaultLogger('ERROR') },
    );
    return { failure: await environment.run(step).catch((error: unknown) => error), written, aborted };
  }

  test('writes nothing any more, and says so to its tools', async () => {
    const { failure, written, aborted } = await attempt(TIMEOUT_MS + 100);
    expect(failure).toMatchObject(FROZEN);
    expect(written).toEqual(['stat']);
    expect(aborted).toEqual([true]);
  });

  test('goes on when it was not for long', async () => {
    const { failure, written } = await attempt(20);
    expect(failure).toBeUndefined();
    expect(written).toEqual(['putIfAbsent', 'remove', 'publish', 'state', 'stat']);
  });
});
