import type { Worker } from '@temporalio/worker';

import { runToEnd } from '../../src/workers/run-to-end.js';

/** `Worker.runUntil`, by our own way to end a worker. Fails when the worker ends first. */
export async function whileRunning<T>(worker: Worker, use: () => Promise<T>): Promise<T> {
  const ended = runToEnd(worker);
  const tooSoon = ended.then((): never => {
    throw new Error('the worker ended first');
  });
  try {
    return await Promise.race([use(), tooSoon]);
  } finally {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await ended;
  }
}
