import { CancelledFailure, Context } from '@temporalio/activity';
import type { WorkflowFailedError, WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

import type { ChunkRequest, EndRequest, PublishRequest } from '../../src/contracts/activities.js';
import type { ChunkResult } from '../../src/contracts/plan.js';
import type { Progress } from '../../src/contracts/progress.js';
import type { ProcessSummary } from '../../src/contracts/summary.js';
import { useStack } from '../support/stack.js';
import {
  chunkResult,
  damaged,
  described,
  encoded,
  failureOf,
  inspected,
  openBench,
  plan,
  published,
  summaries,
  untilCancelled,
  untilPart,
  untilProgress,
  type Bench,
} from './support.js';

const stack = useStack();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench(stack.config.temporal);
});
afterAll(() => bench.close());

test('a video is inspected, encoded, given a poster, verified and published', async () => {
  await bench.run('processVideo', {}, async (handle) => {
    const summary = (await handle.result()) as ProcessSummary;
    expect(summary).toMatchObject({
      kind: 'video',
      state: 'ready',
      renditions: ['720p', '360p', 'audio-0'],
      missing: [],
    });
    const progress = await handle.query<Progress>('progress');
    expect(progress).toMatchObject({ state: 'ready', chunks: { done: 2, total: 2, states: 'dd' } });
    expect(progress.parts.map(({ name, state }) => `${name} ${state}`)).toEqual([
      '720p done',
      '360p done',
      'audio-0 done',
      'poster done',
    ]);
    const { searchAttributes } = await handle.describe();
    expect(searchAttributes).toMatchObject({ MediaKind: ['video'], MediaStage: ['ready'], Tenant: ['acme'] });
  });
});

test('an image under a video name goes on as processImage, under the same workflow id', async () => {
  await bench.run('processVideo', { inspectMedia: async () => ({ outcome: 'image' }) }, async (handle, job) => {
    expect(await handle.result()).toMatchObject({ kind: 'image', state: 'ready', assetId: job.assetId });
    const { type, searchAttributes } = await bench.client.workflow.getHandle(job.workflowId).describe();
    expect(type).toBe('processImage');
    expect(searchAttributes).toMatchObject({ MediaKind: ['image'], MediaStage: ['ready'], Tenant: ['acme'] });
  });
});

test('bytes that each kind hands to the other are refused instead of going round for ever', async () => {
  const ends: EndRequest[] = [];
  const activities = {
    inspectMedia: async () => ({ outcome: 'image' as const }),
    makeImage: async () => ({ outcome: 'media' as const }),
    recordEnd: async (request: EndRequest) => void ends.push(request),
  };
  await bench.run('processImage', activities, async (handle) => {
    const error = await handle.result().catch((e: unknown) => e);
    expect(failureOf(error).type).toBe('UNSUPPORTED_TYPE');
    expect(ends).toHaveLength(1);
  });
});

test('a permanent error is tried once, undone, recorded, and is the failure of the workflow', async () => {
  const attempts: string[] = [];
  const order: string[] = [];
  const activities = {
    encodeChunk: async (request: ChunkRequest) => {
      attempts.push(described(request));
      throw damaged();
    },
    discardOutputs: async () => void order.push('discard'),
    recordEnd: async ({ state, error }: EndRequest) => void order.push(`${state} ${error.code}`),
  };
  await bench.run('processVideo', activities, async (handle) => {
    const error = await handle.result().catch((e: unknown) => e);
    expect(failureOf(error)).toMatchObject({ type: 'DAMAGED_FILE', nonRetryable: true });
    expect(attempts).toEqual([...new Set(attempts)]);
    expect(order).toEqual(['discard', 'failed DAMAGED_FILE']);
    expect((await handle.describe()).searchAttributes).toMatchObject({
      FailureCode: ['DAMAGED_FILE'],
      MediaStage: ['failed'],
    });
  });
});

test('an outage is retried until it is over', async () => {
  let attempts = 0;
  const activities = {
    inspectMedia: async () => {
      attempts += 1;
      if (attempts < 3) throw ApplicationFailure.retryable('The object store can not be reached.', 'STORE_UNAVAILABLE');
      return inspected;
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    expect(attempts).toBe(3);
  });
});

test('a step that falls silent is given to another attempt after the heartbeat timeout', async () => {
  let attempts = 0;
  const activities = {
    encodeChunk: async (request: ChunkRequest) => {
      if (described(request) === '1+1 720p 360p') attempts += 1;
      if (attempts === 1) await new Promise((resolve) => setTimeout(resolve, 13_000));
      return chunkResult(request);
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    expect(attempts).toBe(2);
  });
}, 40_000);

test('a cancel waits for the encoders to stop, then cleans up, then ends as cancelled', async () => {
  const order: string[] = [];
  const activities = {
    encodeChunk: allButTheFirst(() => untilCancelled(() => order.push('chunk stopped'))),
    encodeAudio: () => untilCancelled(() => order.push('audio stopped')),
    discardOutputs: async () => void order.push('discard'),
    recordEnd: async ({ state, error }: EndRequest) => void order.push(`${state} ${error.code}`),
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilPart(handle, '720p', 'running');
    await handle.cancel();
    const error = await handle.result().catch((e: unknown) => e);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    expect(order.slice(0, 3).sort()).toEqual(['audio stopped', 'chunk stopped', 'chunk stopped']);
    expect(order.slice(3)).toEqual(['discard', 'cancelled CANCELLED']);
  });
});

test('when one part fails for good, the others are stopped before anything is removed', async () => {
  const order: string[] = [];
  const activities = {
    encodeChunk: async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      throw damaged();
    },
    encodeAudio: () => untilCancelled(() => order.push('audio stopped')),
    discardOutputs: async () => void order.push('discard'),
  };
  await bench.run('processVideo', activities, async (handle) => {
    const error = await handle.result().catch((e: unknown) => e);
    expect(failureOf(error).type).toBe('DAMAGED_FILE');
    expect(order).toEqual(['audio stopped', 'discard']);
  });
});

test('a sound track that can not be made leaves a partial video that names it', async () => {
  let request: PublishRequest | undefined;
  const activities = {
    encodeAudio: async () => {
      throw damaged();
    },
    publishMedia: async (asked: PublishRequest) => {
      request = asked;
      return published(asked);
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({
      state: 'partial',
      missing: [{ name: 'audio-0', error: { code: 'DAMAGED_FILE' } }],
    });
    expect(request?.made.audio).toEqual([]);
  });
});

test('the only sound track of an audio file can not be missing', async () => {
  const audioOnly = { ...plan, kind: 'audio' as const, rungs: [], grid: undefined, stills: { posterFrames: [] } };
  const activities = {
    inspectMedia: async () => ({ outcome: 'media' as const, plan: audioOnly }),
    encodeAudio: async () => {
      throw damaged();
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    const error = await handle.result().catch((e: unknown) => e);
    expect(failureOf(error).type).toBe('DAMAGED_FILE');
  });
});

test('a cancelled rendition is left out: its encode starts again without it', async () => {
  const calls: string[] = [];
  const activities = {
    encodeChunk: async (request: ChunkRequest) => {
      calls.push(described(request));
      if (request.rungs.includes('720p')) return untilCancelled();
      return chunkResult(request);
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilPart(handle, '720p', 'running');
    await handle.executeUpdate('cancelRendition', { args: ['720p'] });
    const summary = (await handle.result()) as ProcessSummary;
    expect(calls.filter((call) => call.startsWith('1+1'))).toEqual(['1+1 720p 360p', '1+1 360p']);
    expect(summary).toMatchObject({
      state: 'partial',
      renditions: ['360p', 'audio-0'],
      missing: [{ name: '720p', error: { code: 'CANCELLED' } }],
    });
  });
});

test('updates that make no sense are refused with a reason', async () => {
  const activities = { encodeChunk: allButTheFirst(() => untilCancelled()) };
  await bench.run('processVideo', activities, async (handle) => {
    await untilPart(handle, '720p', 'running');
    const reasonOf = async (update: string, arg: unknown): Promise<string> => {
      const error = await handle.executeUpdate(update, { args: [arg] }).catch((e: unknown) => e);
      return ((error as { cause?: Error }).cause ?? (error as Error)).message;
    };
    expect(await reasonOf('cancelRendition', '4320p')).toBe('There is no rendition 4320p.');
    await handle.executeUpdate('cancelRendition', { args: ['720p'] });
    expect(await reasonOf('cancelRendition', '720p')).toBe('Rendition 720p is cancelled already.');
    // Sound alone is no video.
    expect(await reasonOf('cancelRendition', '360p')).toBe(
      'The last rendition can not be cancelled: cancel the workflow.',
    );
    expect(await reasonOf('setPriority', 9)).toBe('A priority is a whole number from 1 to 5.');
  });
});

test('a new priority holds for every step that is scheduled after it', async () => {
  const priorities: (number | undefined)[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const activities = {
    encodeChunk: allButTheFirst(async (request) => {
      await released;
      return chunkResult(request);
    }),
    encodeAudio: async () => encoded('audio-0'),
    publishMedia: async (asked: PublishRequest) => {
      priorities.push(Context.current().info.priority?.priorityKey);
      return published(asked);
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilPart(handle, '720p', 'running');
    await handle.executeUpdate('setPriority', { args: [1] });
    release();
    await handle.result();
    expect(priorities).toEqual([1]);
  });
});

test('a new priority goes with the bytes to the other kind', async () => {
  const priorities: (number | undefined)[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const activities = {
    inspectMedia: async () => {
      await released;
      return { outcome: 'image' as const };
    },
    makeImage: async () => {
      priorities.push(Context.current().info.priority?.priorityKey);
      return { outcome: 'ready' as const, reader: 'sharp', renditions: [] };
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    await handle.executeUpdate('setPriority', { args: [1] });
    release();
    await handle.result();
    expect(priorities).toEqual([1]);
  });
});

test('a cancel that comes too late for the step is not lost with the hand-over to the other kind', async () => {
  const ends: EndRequest[] = [];
  const activities = {
    inspectMedia: async () => {
      // Stopped with its work done: it has an answer all the same.
      await untilCancelled().catch(() => undefined);
      return { outcome: 'image' as const };
    },
    recordEnd: async (request: EndRequest) => void ends.push(request),
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilStarted(handle);
    await handle.cancel();
    await handle.result().catch(() => undefined);
    expect(await handle.describe()).toMatchObject({ type: 'processVideo', status: { name: 'CANCELLED' } });
    expect(ends).toMatchObject([{ state: 'cancelled' }]);
  });
});

test('a step that ends in a failure of its own when it is cancelled does not make the cancel a failure', async () => {
  const order: string[] = [];
  const activities = {
    // What a drain or an outage leaves when they meet the cancel: not tried again, for it is cancelled.
    encodeChunk: allButTheFirst(() =>
      untilCancelled().catch(() => {
        throw ApplicationFailure.retryable('The object store can not be reached.', 'STORE_UNAVAILABLE');
      }),
    ),
    discardOutputs: async () => void order.push('discard'),
    recordEnd: async ({ state, error }: EndRequest) => void order.push(`${state} ${error.code}`),
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilPart(handle, '720p', 'running');
    await handle.cancel();
    const error = await handle.result().catch((e: unknown) => e);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    expect(order).toEqual(['discard', 'cancelled CANCELLED']);
  });
});

test('the same of a cancelled rendition: its encode starts again', async () => {
  const calls: string[] = [];
  const activities = {
    encodeChunk: async (request: ChunkRequest) => {
      calls.push(described(request));
      if (!request.rungs.includes('720p')) return chunkResult(request);
      return untilCancelled().catch(() => {
        throw ApplicationFailure.retryable('The worker is draining.', 'WorkerDraining');
      });
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilPart(handle, '720p', 'running');
    await handle.executeUpdate('cancelRendition', { args: ['720p'] });
    expect(await handle.result()).toMatchObject({ state: 'partial', missing: [{ name: '720p' }] });
    expect(calls.filter((call) => call.startsWith('1+1'))).toEqual(['1+1 720p 360p', '1+1 360p']);
  });
});

test('a sound track that is finished in the moment of its cancel stays cancelled', async () => {
  let request: PublishRequest | undefined;
  const activities = {
    encodeAudio: () => untilCancelled().catch(() => encoded('audio-0')),
    publishMedia: async (asked: PublishRequest) => {
      request = asked;
      return published(asked);
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilPart(handle, 'audio-0', 'running');
    await handle.executeUpdate('cancelRendition', { args: ['audio-0'] });
    await handle.result();
    expect(request?.made).toMatchObject({ audio: [], missing: [{ name: 'audio-0', error: { code: 'CANCELLED' } }] });
    const { parts } = await handle.query<Progress>('progress');
    expect(parts).toContainEqual({ name: 'audio-0', state: 'cancelled' });
  });
});

test('a clean-up that fails for good keeps nobody from learning of the end', async () => {
  const ends: EndRequest[] = [];
  const activities = {
    encodeChunk: async () => {
      throw damaged();
    },
    discardOutputs: async () => {
      throw ApplicationFailure.nonRetryable('The bucket is gone.', 'INTERNAL');
    },
    recordEnd: async (request: EndRequest) => void ends.push(request),
  };
  await bench.run('processVideo', activities, async (handle) => {
    const error = await handle.result().catch((e: unknown) => e);
    expect(failureOf(error).type).toBe('DAMAGED_FILE');
    expect(ends).toMatchObject([{ state: 'failed', error: { code: 'DAMAGED_FILE' } }]);
  });
});

test('a cancel can not interrupt the clean-up', async () => {
  const order: string[] = [];
  let tidying = (): void => undefined;
  const tidies = new Promise<void>((resolve) => (tidying = resolve));
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const activities = {
    encodeChunk: async () => {
      throw damaged();
    },
    discardOutputs: async () => {
      tidying();
      await released;
      order.push('discard');
    },
    recordEnd: async ({ state }: EndRequest) => void order.push(state),
  };
  await bench.run('processVideo', activities, async (handle) => {
    await tidies;
    await handle.cancel();
    release();
    const error = await handle.result().catch((e: unknown) => e);
    expect(failureOf(error).type).toBe('DAMAGED_FILE');
    expect(order).toEqual(['discard', 'failed']);
  });
});

test('of several sound tracks that can not be made the last one is the failure', async () => {
  const [track] = plan.audio;
  const sound = {
    ...plan,
    kind: 'audio' as const,
    rungs: [],
    grid: undefined,
    stills: { posterFrames: [] },
    audio: [track!, { ...track!, name: 'audio-1' }],
  };
  const activities = {
    inspectMedia: async () => ({ outcome: 'media' as const, plan: sound }),
    encodeAudio: async () => {
      throw damaged();
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    const error = await handle.result().catch((e: unknown) => e);
    expect(failureOf(error).type).toBe('DAMAGED_FILE');
  });
});

test('the Web UI alone says what it is, what it does and why it failed', async () => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const activities = {
    encodeChunk: allButTheFirst(async () => {
      await released;
      throw damaged();
    }),
    encodeAudio: async () => encoded('audio-0'),
  };
  await bench.run('processVideo', activities, async (handle, job) => {
    await untilProgress(handle, 'playable', ({ state }) => state === 'playable');
    await untilPart(handle, 'audio-0', 'done');
    expect(await (await handle.describe()).staticSummary()).toBe(`video · ${job.source.key}`);
    expect(await currentDetails(handle)).toBe(
      [
        `**encoding** · asset \`${job.assetId}\` · priority 3 · playable · 0 of 2 chunks`,
        '',
        '| rendition | state | |',
        '|---|---|---|',
        '| 720p | running |  |',
        '| 360p | running |  |',
        '| audio-0 | done |  |',
        '| poster | waiting |  |',
      ].join('\n'),
    );
    release();
    await handle.result().catch(() => undefined);
    expect(await currentDetails(handle)).toContain('`DAMAGED_FILE` The file is damaged and can not be decoded.');
    expect(await summaries(handle)).toEqual([
      'inspect',
      'segment 0: 360p',
      'preview segments 0-1: audio-0',
      'segment 0: 720p 360p',
      'segment 1: 720p 360p',
      'audio-0',
      'playable',
      'discard outputs',
      'record: failed',
    ]);
  });
});

/** The first look goes well: everything else waits for it. */
const allButTheFirst =
  (rest: (request: ChunkRequest) => Promise<ChunkResult>) =>
  (request: ChunkRequest): Promise<ChunkResult> =>
    request.rungs.length > 1 ? rest(request) : Promise.resolve(chunkResult(request));

/** As the Web UI asks for it. */
async function currentDetails(handle: WorkflowHandle): Promise<string | undefined> {
  return (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails;
}

async function untilStarted(handle: WorkflowHandle): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    const { pendingActivities } = (await handle.describe()).raw;
    if (pendingActivities?.some(({ lastWorkerIdentity }) => lastWorkerIdentity)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('no step was started');
}
