import { CancelledFailure } from '@temporalio/activity';
import type { WorkflowFailedError } from '@temporalio/client';

import { ApplicationFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';

import type { EndRequest, ImageOutcome, MadeImage, MissingPart } from '../../src/contracts/activities.js';
import type { Job } from '../../src/contracts/assets.js';
import type { Progress } from '../../src/contracts/progress.js';
import { useStack } from '../support/stack.js';
import { damaged, failureOf, openBench, summaries, untilCancelled, untilPart, type Bench } from './support.js';

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
    // Each one costs Temporal a write: one step, and its stage is said once more, at the end.
    const { events } = await handle.fetchHistory();
    const said = events!.map(({ eventType }) =>
      temporal.api.enums.v1.EventType[eventType!].slice('EVENT_TYPE_'.length),
    );
    expect(said.filter((type) => !type.startsWith('WORKFLOW_TASK_'))).toEqual([
      'WORKFLOW_EXECUTION_STARTED',
      'ACTIVITY_TASK_SCHEDULED',
      'ACTIVITY_TASK_STARTED',
      'ACTIVITY_TASK_COMPLETED',
      'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
      'WORKFLOW_EXECUTION_COMPLETED',
    ]);
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

describe('an animation', () => {
  const made: MadeImage = {
    reader: 'sharp',
    renditions: [{ name: 'thumb.jpg', type: 'thumbnail', key: 'k', mime: 'image/jpeg', bytes: 1 }],
    image: {
      ...{
        width: 4,
        height: 4,
        format: 'gif',
        frames: 3,
        hasAlpha: false,
        sha256: 's',
        picture: '<picture></picture>',
      },
      ...{ thumbHash: 't', blurHash: 'b', dominantColour: '#000000', palette: [], perceptualHash: '0'.repeat(16) },
    },
  };
  const loop = (format: 'mp4' | 'webm') => ({ name: `loop.${format}`, format, width: 4, height: 4 });
  const makeImage = async (): Promise<ImageOutcome> => ({
    ...{ outcome: 'animated', made, loops: [loop('mp4'), loop('webm')] },
  });

  /** Publishes what it is given, and keeps it. */
  function publishing(published: { made?: MadeImage; missing?: readonly MissingPart[] }) {
    return async (_job: Job, _startedAt: string, given: MadeImage, missing: readonly MissingPart[]) => {
      Object.assign(published, { made: given, missing });
      return {
        ...{ outcome: 'ready' as const, renditions: given.renditions, reader: given.reader },
        ...(missing.length > 0 && { missing }),
      };
    };
  }

  test('is published with the loops that video workers made of it', async () => {
    const published: Parameters<typeof publishing>[0] = {};
    await bench.run('processImage', { makeImage, publishImage: publishing(published) }, async (handle) => {
      const names = ['thumb.jpg', 'loop.mp4', 'loop.webm'];
      expect(await handle.result()).toMatchObject({ kind: 'image', state: 'ready', renditions: names, missing: [] });
      expect(published).toMatchObject({ made: { image: made.image }, missing: [] });
      expect(await summaries(handle)).toEqual(['make all variants', 'loop.mp4', 'loop.webm', 'publish']);
      expect(await handle.query<Progress>('progress')).toMatchObject({
        state: 'ready',
        parts: names.map((name) => ({ name, state: 'done' })),
      });
    });
  });

  test('of which a loop can not be made is partial, and says which', async () => {
    const failing = {
      makeImage,
      makeLoop: async (_job: Job, { name, width, height }: { name: string; width: number; height: number }) => {
        if (name === 'loop.mp4') throw ApplicationFailure.nonRetryable('It is too slow.', 'TOOL_STALLED');
        return { ...{ name, type: 'loop' as const, key: 'k', mime: 'video/webm', width, height, bytes: 1 } };
      },
    };
    await bench.run('processImage', failing, async (handle) => {
      const missing = [{ name: 'loop.mp4', error: { code: 'TOOL_STALLED', message: 'It is too slow.' } }];
      const renditions = ['thumb.jpg', 'loop.webm'];
      expect(await handle.result()).toMatchObject({ kind: 'image', state: 'partial', renditions, missing });
      expect((await handle.query<Progress>('progress')).parts).toContainEqual({ ...missing[0], state: 'failed' });
    });
  });

  test('goes without a loop that somebody cancels', async () => {
    const activities = {
      makeImage,
      makeLoop: async (_job: Job, { name, width, height }: { name: string; width: number; height: number }) => {
        if (name === 'loop.webm') return untilCancelled();
        return { ...{ name, type: 'loop' as const, key: 'k', mime: 'video/mp4', width, height, bytes: 1 } };
      },
    };
    await bench.run('processImage', activities, async (handle) => {
      await untilPart(handle, 'loop.mp4', 'done');
      await handle.executeUpdate('cancelRendition', { args: ['loop.webm'] });
      const missing = [{ name: 'loop.webm', error: { code: 'CANCELLED' } }];
      const renditions = ['thumb.jpg', 'loop.mp4'];
      expect(await handle.result()).toMatchObject({ state: 'partial', renditions, missing });
    });
  });

  test('that is cancelled while its loops are made is undone after they have stopped', async () => {
    const order: string[] = [];
    const activities = {
      ...writingDown(order),
      makeImage,
      makeLoop: () => untilCancelled(() => order.push('stopped')),
    };
    await bench.run('processImage', activities, async (handle) => {
      await untilPart(handle, 'loop.webm', 'running');
      await handle.cancel();
      const error = await handle.result().catch((e: unknown) => e);
      expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
      expect(order).toEqual(['stopped', 'stopped', 'discard', 'image cancelled CANCELLED']);
    });
  });
});
