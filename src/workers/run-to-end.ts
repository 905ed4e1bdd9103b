/** A worker of the SDK until it has ended. */
import type { Worker } from '@temporalio/worker';

/**
 * The SDK takes a worker apart when all its calls have returned. Now and then one of them has told of its end and holds
 * the worker for a moment more (`Worker still in use: Expected 1 reference, but got 2`; other SDKs of the same core do
 * the same: https://github.com/temporalio/sdk-dotnet/issues/550). It has stopped by then: all its work has ended, or
 * was handed over.
 *
 * @throws what made it give up
 */
export async function runToEnd(worker: Pick<Worker, 'run' | 'getState'>): Promise<void> {
  try {
    await worker.run();
  } catch (error) {
    const { name, message } = error as Error;
    const isHeld = name === 'IllegalStateError' && message.startsWith('Worker still in use');
    if (!isHeld || worker.getState() !== 'STOPPED') throw error;
  }
}
