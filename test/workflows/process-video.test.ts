import { CancelledFailure, Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

import type { EndRequest, PublishRequest } from '../../src/contracts/activities.js';
import type { Progress } from '../../src/contracts/progress.js';
import type { ProcessSummary } from '../../src/contracts/summary.js';
import { useStack } from '../support/stack.js';
import { chunkResult, encoded, inspected, openBench, plan, type Bench } from './support.js';

const stack = useStack();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench(stack.config.temporal);
});
afterAll(() => bench.close());

/** An encode that heartbeats until it is cancelled, then takes a moment to stop, as ffmpeg does. */
async function untilCancelled(stopped: () => void): Promise<never> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 50);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(timer);
    await new Promise((resolve) => setTimeout(resolve, 300));
    stopped();
  }
}

const failureOf = (error: unknown): ApplicationFailure => (error as WorkflowFailedError).cause as ApplicationFailure;
const damaged = (): ApplicationFailure => ApplicationFailure.nonRetryable('The file is damaged and can not be decoded.', 'DAMAGED_FILE');

test('a video is inspected, encoded, given a poster, verified and published', async () => {
  await bench.run('processVideo', {}, async (handle) => {
    const summary = (await handle.result()) as ProcessSummary;
    expect(summary).toMatchObject({ kind: 'video', state: 'ready', renditions: ['720p', '360p', 'audio-0'], missing: [] });
    const progress = await handle.query<Progress>('progress');
    expect(progress).toMatchObject({ state: 'ready', chunks: { done: 1, total: 1 } });
    expect(progress.parts.map(({ name, state }) => `${name} ${state}`)).toEqual(['720p done', '360p done', 'audio-0 done', 'poster done']);
    const { searchAttributes } = await handle.describe();
    expect(searchAttributes).toMatchObject({ MediaKind: ['video'], MediaStage: ['ready'] });
  });
});

test('an image under a video name goes on as processImage, under the same workflow id', async () => {
  await bench.run('processVideo', { inspectMedia: async () => ({ outcome: 'image' }) }, async (handle, job) => {
    expect(await handle.result()).toMatchObject({ kind: 'image', state: 'ready', assetId: job.assetId });
    expect((await bench.client.workflow.getHandle(job.workflowId).describe()).type).toBe('processImage');
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
  let attempts = 0;
  const order: string[] = [];
  const activities = {
    encodeChunk: async () => {
      attempts += 1;
      throw damaged();
    },
    discardOutputs: async () => void order.push('discard'),
    recordEnd: async ({ state, error }: EndRequest) => void order.push(`${state} ${error.code}`),
  };
  await bench.run('processVideo', activities, async (handle) => {
    const error = await handle.result().catch((e: unknown) => e);
    expect(failureOf(error)).toMatchObject({ type: 'DAMAGED_FILE', nonRetryable: true });
    expect(attempts).toBe(1);
    expect(order).toEqual(['discard', 'failed DAMAGED_FILE']);
    expect((await handle.describe()).searchAttributes).toMatchObject({ FailureCode: ['DAMAGED_FILE'], MediaStage: ['failed'] });
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
    encodeChunk: async () => {
      attempts += 1;
      if (attempts === 1) await new Promise((resolve) => setTimeout(resolve, 13_000));
      return chunkResult(['720p', '360p']);
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
    encodeChunk: () => untilCancelled(() => order.push('chunk stopped')),
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
    expect(order.slice(0, 2).sort()).toEqual(['audio stopped', 'chunk stopped']);
    expect(order.slice(2)).toEqual(['discard', 'cancelled CANCELLED']);
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
      return { kind: 'video' as const, state: 'partial' as const, masterKey: 'm', renditions: [] };
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'partial', missing: [{ name: 'audio-0', error: { code: 'DAMAGED_FILE' } }] });
    expect(request?.audio).toEqual([]);
  });
});

test('the only sound track of an audio file can not be missing', async () => {
  const audioOnly = { ...plan, kind: 'audio' as const, rungs: [], chunks: [], grid: undefined };
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
  const calls: string[][] = [];
  const activities = {
    encodeChunk: async (_job: unknown, _plan: unknown, _chunk: unknown, rungs: readonly { name: string }[]) => {
      const names = rungs.map(({ name }) => name);
      calls.push(names);
      if (names.includes('720p')) return untilCancelled(() => undefined);
      return chunkResult(names);
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilPart(handle, '720p', 'running');
    await handle.executeUpdate('cancelRendition', { args: ['720p'] });
    const summary = (await handle.result()) as ProcessSummary;
    expect(calls).toEqual([['720p', '360p'], ['360p']]);
    expect(summary).toMatchObject({ state: 'partial', renditions: ['360p', 'audio-0'], missing: [{ name: '720p', error: { code: 'CANCELLED' } }] });
  });
});

test('updates that make no sense are refused with a reason', async () => {
  const activities = { encodeChunk: () => untilCancelled(() => undefined) };
  await bench.run('processVideo', activities, async (handle) => {
    await untilPart(handle, '720p', 'running');
    const reasonOf = async (update: string, arg: unknown): Promise<string> => {
      const error = await handle.executeUpdate(update, { args: [arg] }).catch((e: unknown) => e);
      return ((error as { cause?: Error }).cause ?? (error as Error)).message;
    };
    expect(await reasonOf('cancelRendition', '4320p')).toBe('There is no rendition 4320p.');
    expect(await reasonOf('setPriority', 9)).toBe('A priority is a whole number from 1 to 5.');
  });
});

test('a new priority holds for every step that is scheduled after it', async () => {
  const priorities: (number | undefined)[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const activities = {
    encodeChunk: async () => {
      await released;
      return chunkResult(['720p', '360p']);
    },
    encodeAudio: async () => encoded('audio-0'),
    publishMedia: async () => {
      priorities.push(Context.current().info.priority?.priorityKey);
      return { kind: 'video' as const, state: 'ready' as const, masterKey: 'm', renditions: [] };
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

async function untilPart(handle: { query<T>(name: string): Promise<T> }, name: string, state: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { parts } = await handle.query<Progress>('progress');
    if (parts.some((part) => part.name === name && part.state === state)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} never became ${state}`);
}

