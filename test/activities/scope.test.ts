/** The frame around activities: what ends an attempt, what counts against a step, and what the next attempt learns of it. */
import { CancelledFailure } from '@temporalio/activity';
import { ActivityCancellationDetails, type ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import { activity, type ActivityOptions, type ActivityScope } from '../../src/activities/scope.js';
import { MediaError, type ErrorCode } from '../../src/contracts/errors.js';
import { parseHeartbeat, type HeartbeatDetails } from '../../src/contracts/progress.js';
import { createLogger } from '../../src/logging/index.js';
import { useStack } from '../support/stack.js';
import { failureOf } from '../tools/support.js';
import { inspected, openBench } from '../workflows/support.js';

const logger = createLogger({ backend: 'pino', level: 'error' });
const REPORT = { step: 'encode', what: 'chunk 0', percent: 40 } as const;

interface Attempt {
  readonly attempt?: number;
  /** What the attempt before left. */
  readonly left?: HeartbeatDetails;
  readonly options?: ActivityOptions;
}

async function attempt(
  run: (scope: ActivityScope, environment: MockActivityEnvironment) => Promise<unknown>,
  { attempt: number = 1, left, options }: Attempt = {},
): Promise<{ failure: unknown; beats: HeartbeatDetails[] }> {
  const environment = new MockActivityEnvironment(
    { attempt: number, heartbeatDetails: left },
    { logger: new DefaultLogger('ERROR') },
  );
  const beats: HeartbeatDetails[] = [];
  environment.on('heartbeat', (details: unknown) => beats.push(parseHeartbeat(details)!));
  const step = activity(logger, (scope) => run(scope, environment), options);
  return { failure: await failureOf(environment.run(step)), beats };
}

const failing = (code: ErrorCode) => (): Promise<never> => Promise.reject(new MediaError(code));
const left = (strikes: number, failures = strikes): HeartbeatDetails => ({ v: 1, strikes, failures, ...REPORT });

async function stopped(
  scope: ActivityScope,
  environment: MockActivityEnvironment,
  details: ConstructorParameters<typeof ActivityCancellationDetails>[0],
): Promise<never> {
  scope.report(REPORT);
  environment.cancel('CANCELLED', new ActivityCancellationDetails(details));
  await new Promise((resolve) => setImmediate(resolve));
  expect(scope.signal.aborted).toBe(true);
  // As a tool that is killed may.
  throw new MediaError('DAMAGED_FILE');
}

test('heartbeats come from a timer, while the step is silent', async () => {
  const { beats } = await attempt(async ({ report }) => {
    report(REPORT);
    await new Promise((resolve) => setTimeout(resolve, 2300));
  });
  expect(beats).toEqual([
    { v: 1, strikes: 1, failures: 0, step: 'start', what: '', percent: 0 },
    { v: 1, strikes: 1, failures: 0, ...REPORT },
    { v: 1, strikes: 1, failures: 0, ...REPORT },
  ]);
});

test('a brief step sends no heartbeat before its first second, unless an attempt before left one', async () => {
  const options = { isBrief: true };
  expect((await attempt(async () => undefined, { options })).beats).toEqual([]);
  expect((await attempt(async () => undefined, { options, attempt: 3, left: left(1) })).beats).toEqual([
    { v: 1, strikes: 2, failures: 1, ...REPORT },
  ]);
  // Of attempts that ended without a word, their number is told all the same.
  const { failure } = await attempt(failing('STORE_UNAVAILABLE'), { options, attempt: 11 });
  expect(failure).toMatchObject({ type: 'INTERNAL', nonRetryable: true });
  expect((await attempt(failing('STORE_UNAVAILABLE'), { options })).beats).toEqual([
    { v: 1, strikes: 0, failures: 0, step: 'start', what: '', percent: 0 },
  ]);
});

test('a drained step leaves its details and is retried at once, whatever its tool said', async () => {
  const { failure, beats } = await attempt((...args) => stopped(...args, { workerShutdown: true }));
  expect(failure).toMatchObject({ type: 'WorkerDraining', nonRetryable: false, nextRetryDelay: '100ms' });
  expect(beats.at(-1)).toEqual({ v: 1, strikes: 0, failures: 0, ...REPORT });
});

test('a cancelled step ends with the cancellation, whatever its tool said', async () => {
  const { failure } = await attempt((...args) => stopped(...args, { cancelRequested: true }));
  expect(failure).toBeInstanceOf(CancelledFailure);
});

test('the percent of the attempt before stands until there is a new one', async () => {
  const { beats } = await attempt(async () => undefined, { attempt: 2, left: left(0) });
  expect(beats).toEqual([{ v: 1, strikes: 1, failures: 0, ...REPORT }]);
});

describe('what counts against a step', () => {
  const finalAfter = async (code: ErrorCode, strikes: number): Promise<boolean | undefined | null> => {
    const { failure } = await attempt(failing(code), { attempt: 90, left: left(strikes) });
    expect((failure as ApplicationFailure).type).toBe(code);
    return (failure as ApplicationFailure).nonRetryable;
  };

  test('its own failures, not the number of attempts', async () => {
    expect(await finalAfter('DECODER_CRASHED', 0)).toBe(false);
    expect(await finalAfter('DECODER_CRASHED', 1)).toBe(true);
    expect(await finalAfter('STORE_UNAVAILABLE', 9)).toBe(false);
    expect(await finalAfter('DAMAGED_FILE', 0)).toBe(true);
  });

  test('not the deaths of its workers', async () => {
    const { failure, beats } = await attempt(failing('TOOL_STALLED'), { attempt: 4, left: left(3, 0) });
    expect(failure).toMatchObject({ type: 'TOOL_STALLED', nonRetryable: false });
    expect(beats.at(-1)).toMatchObject({ strikes: 4, failures: 1 });
    const { failure: third } = await attempt(failing('TOOL_STALLED'), { attempt: 6, left: left(5, 2) });
    expect(third).toMatchObject({ type: 'TOOL_STALLED', nonRetryable: true });
  });

  test('an outage takes its strike back', async () => {
    const { beats } = await attempt(failing('STORE_UNAVAILABLE'), { attempt: 3, left: left(1) });
    expect(beats.map(({ strikes }) => strikes)).toEqual([2, 1]);
  });

  test('after ten silent ends it is not begun again', async () => {
    let begun = false;
    const begin = async (): Promise<void> => void (begun = true);
    const { failure } = await attempt(begin, { attempt: 40, left: left(10) });
    expect([begun, failure]).toMatchObject([false, { type: 'INTERNAL', nonRetryable: true }]);
    // Died before its first heartbeat arrived: then every attempt counts.
    expect((await attempt(begin, { attempt: 11 })).failure).toMatchObject({ nonRetryable: true });
    expect(begun).toBe(false);
  });

  test('nothing, where it must succeed in the end', async () => {
    const options = { neverGivesUp: true };
    for (const code of ['INTERNAL', 'OBJECT_MISSING'] as const) {
      const { failure } = await attempt(failing(code), { attempt: 40, left: left(30), options });
      expect(failure).toMatchObject({ type: code, nonRetryable: false });
    }
  });
});

describe('on a real server', () => {
  const stack = useStack();

  test('the second failure of its own is the last one, however soon after the first', async () => {
    const bench = await openBench(stack.config.temporal);
    let tries = 0;
    const inspectMedia = activity(logger, async () => {
      tries += 1;
      throw new MediaError('DECODER_CRASHED');
    });
    try {
      await bench.run('processVideo', { inspectMedia }, async (handle) => {
        await expect(handle.result()).rejects.toThrow();
        expect(tries).toBe(2);
      });
    } finally {
      await bench.close();
    }
  }, 60_000);

  test('a crash after two outages is the first one', async () => {
    const bench = await openBench(stack.config.temporal);
    const codes: (ErrorCode | undefined)[] = ['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE', 'DECODER_CRASHED', undefined];
    const inspectMedia = activity(logger, async () => {
      const code = codes.shift();
      if (code) throw new MediaError(code);
      return inspected;
    });
    try {
      await bench.run('processVideo', { inspectMedia }, async (handle) => {
        expect(await handle.result()).toMatchObject({ state: 'ready' });
        expect(codes).toEqual([]);
      });
    } finally {
      await bench.close();
    }
  }, 60_000);
});
