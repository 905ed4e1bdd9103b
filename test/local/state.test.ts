import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import {
  AlreadyRunning,
  claim,
  isAlive,
  readState,
  runningState,
  startTimeOf,
  type StackState,
} from '../../src/local/state.js';
import { restartDelay } from '../../src/local/services.js';
import { DEFAULT_PORTS } from '../../src/local/servers/types.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-state-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const stateOf = (pid: number, startTime: string): StackState => ({
  phase: 'starting',
  supervisor: { pid, startTime },
  startedAt: '2026-01-01T00:00:00.000Z',
  servers: [],
  ports: DEFAULT_PORTS,
  addresses: {},
  processes: [],
});
const mine = () => stateOf(process.pid, startTimeOf(process.pid)!);

it('has one supervisor, however many try at once', async () => {
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => claim(dir, mine)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(AlreadyRunning);
  expect(runningState(dir)).toMatchObject({ supervisor: { pid: process.pid } });
});

it('takes over from a dead one, and learns its ports', async () => {
  // The id is in use again, by a process that began at another time.
  await claim(dir, () => stateOf(process.pid, '1'));
  expect(isAlive(readState(dir)!)).toBe(false);
  expect(runningState(dir)).toBeUndefined();
  expect(await claim(dir, mine)).toMatchObject({ ports: DEFAULT_PORTS });
});

it('is for nobody else to read: it holds credentials', async () => {
  await claim(dir, mine);
  expect((await stat(join(dir, 'stack.json'))).mode & 0o777).toBe(0o600);
});

it('waits longer after each failure, but never long', () => {
  expect([1, 2, 3, 4, 5, 6, 20].map(restartDelay)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});
