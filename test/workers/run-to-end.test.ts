/** What the SDK's worker does at its end can't be asked of a real one. */
import { IllegalStateError, type Worker } from '@temporalio/worker';

import { runToEnd } from '../../src/workers/run-to-end.js';

type State = ReturnType<Worker['getState']>;

const ending = (state: State, error?: Error) => ({
  run: () => (error ? Promise.reject(error) : Promise.resolve()),
  getState: () => state,
});
const held = new IllegalStateError('Worker still in use: Expected 1 reference, but got 2');

test('a worker that has stopped has ended, whoever still holds it', async () => {
  await expect(runToEnd(ending('STOPPED'))).resolves.toBeUndefined();
  await expect(runToEnd(ending('STOPPED', held))).resolves.toBeUndefined();
});

test.each<[string, State, Error]>([
  ['is held while it works', 'FAILED', held],
  ['gives up for another reason', 'STOPPED', new Error('connection lost')],
  ['can not be run', 'STOPPED', new IllegalStateError('Poller was already started')],
])('one that %s has not', async (_why, state, error) => {
  await expect(runToEnd(ending(state, error))).rejects.toBe(error);
});
