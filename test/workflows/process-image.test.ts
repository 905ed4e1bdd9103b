import { CancelledFailure } from '@temporalio/activity';
import type { WorkflowFailedError } from '@temporalio/client';

import type { EndRequest } from '../../src/contracts/activities.js';
import type { Progress } from '../../src/contracts/progress.js';
import { useStack } from '../support/stack.js';
import { damaged, failureOf, openBench, untilCancelled, type Bench } from './support.js';

const stack = useStack();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench(stack.config.temporal);
});
afterAll(() => bench.close());

/** Activities that write down in which order they ended. */
function writingDown(order: string[]) {
  return {
    discardOutputs: async () => void order.push('discard'),
    recordEnd: async ({ state, kind, error }: EndRequest) => void order.push(`${kind} ${state} ${error.code}`),
  };
}

test('an image is made in one step', async () => {
  await bench.run('processImage', {}, async (handle) => {
    expect(await handle.result()).toMatchObject({
      kind: 'image',
      state: 'ready',
      renditions: ['thumb.jpg'],
      missing: [],
    });
    expect(await handle.query<Progress>('progress')).toMatchObject({
      state: 'ready',
      parts: [{ name: 'thumb.jpg', state: 'done' }],
    });
    expect((await handle.describe()).searchAttributes).toMatchObject({
      MediaKind: ['image'],
      MediaStage: ['ready'],
      Tenant: ['acme'],
    });
  });
});

test('a video under an image name goes on as processVideo, under the same workflow id', async () => {
  await bench.run('processImage', { makeImage: async () => ({ outcome: 'media' }) }, async (handle, job) => {
    expect(await handle.result()).toMatchObject({ kind: 'video', state: 'ready', assetId: job.assetId });
    expect((await bench.client.workflow.getHandle(job.workflowId).describe()).type).toBe('processVideo');
  });
});

test('an image that can not be made is tried once, undone and recorded', async () => {
  const order: string[] = [];
  const activities = {
    ...writingDown(order),
    makeImage: async () => {
      order.push('try');
      throw damaged();
    },
  };
  await bench.run('processImage', activities, async (handle) => {
    const error = await handle.result().catch((e: unknown) => e);
    expect(failureOf(error)).toMatchObject({ type: 'DAMAGED_FILE', nonRetryable: true });
    expect(order).toEqual(['try', 'discard', 'image failed DAMAGED_FILE']);
    expect((await handle.describe()).searchAttributes).toMatchObject({
      FailureCode: ['DAMAGED_FILE'],
      MediaStage: ['failed'],
    });
  });
});

test('a cancelled image is waited for, undone and recorded', async () => {
  const order: string[] = [];
  let begun = (): void => undefined;
  const begins = new Promise<void>((resolve) => (begun = resolve));
  const activities = {
    ...writingDown(order),
    makeImage: () => {
      begun();
      return untilCancelled(() => order.push('stopped'));
    },
  };
  await bench.run('processImage', activities, async (handle) => {
    await begins;
    await handle.cancel();
    const error = await handle.result().catch((e: unknown) => e);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    expect(order).toEqual(['stopped', 'discard', 'image cancelled CANCELLED']);
  });
});

test('a rendition of an image can not be cancelled: there is one step', async () => {
  await bench.run('processImage', { makeImage: () => untilCancelled() }, async (handle) => {
    const refused = await handle.executeUpdate('cancelRendition', { args: ['thumb.jpg'] }).catch((e: unknown) => e);
    expect((refused as Error).cause).toMatchObject({ message: 'There is no rendition thumb.jpg.' });
  });
});
