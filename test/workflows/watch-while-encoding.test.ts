/** First look, wishes of viewers, and the order of the rest. */
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';

import type { ChunkRequest, PublishRequest } from '../../src/contracts/activities.js';
import type { Job } from '../../src/contracts/assets.js';
import type { AudioTrack, Chunk, ChunkResult, VideoPlan } from '../../src/contracts/plan.js';
import type { Progress } from '../../src/contracts/progress.js';
import { useStack } from '../support/stack.js';
import {
  chunkResult,
  damaged,
  described,
  encoded,
  longPlan,
  openBench,
  plan,
  published,
  summaries,
  untilCancelled,
  untilProgress,
  type AllActivities,
  type Bench,
} from './support.js';

const stack = useStack();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench(stack.config.temporal);
});
afterAll(() => bench.close());

const where = (): string => {
  const { taskQueue, priority } = Context.current().info;
  return `${taskQueue.endsWith('-urgent') ? 'urgent' : 'bulk'} ${priority?.priorityKey}`;
};

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}
function gate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** Keeps every encode of a whole chunk waiting; what viewers and the first look ask for goes through. */
function held(inspected: VideoPlan, more: Partial<AllActivities> = {}) {
  const calls: string[] = [];
  const bulk = gate();
  const activities: Partial<AllActivities> = {
    inspectMedia: async () => ({ outcome: 'media', plan: inspected }),
    encodeChunk: async (request: ChunkRequest) => {
      calls.push(described(request));
      if (request.rungs.length > 1) await bulk.opened;
      return chunkResult(request);
    },
    previewAudio: async (_job: Job, _plan: VideoPlan, track: AudioTrack, { firstSegment, segments }: Chunk) =>
      void calls.push(`${firstSegment}+${segments} ${track.name}`),
    encodeAudio: async (_job: Job, _plan: VideoPlan, track: AudioTrack) => {
      await bulk.opened;
      return encoded(track.name);
    },
    ...more,
  };
  return { calls, activities, finish: () => bulk.open() };
}

const want = (handle: WorkflowHandle, name: unknown, segment: unknown): Promise<void> =>
  handle.signal('wanted', { name, segment });

const until = (is: () => boolean): Promise<void> =>
  untilProgress({ query: async () => ({}) } as unknown as WorkflowHandle, String(is), is);

test('the first segment of the lowest rung and its sound come first, and the video is playable', async () => {
  const order: string[] = [];
  const bulk = gate();
  const activities = {
    inspectMedia: async () => {
      order.push(`inspect: ${where()}`);
      return { outcome: 'media' as const, plan: longPlan(60, { chunkSegments: 8 }) };
    },
    encodeChunk: async (request: ChunkRequest) => {
      order.push(`${described(request)}: ${where()}`);
      if (request.rungs.length > 1) await bulk.opened;
      return chunkResult(request);
    },
    previewAudio: async (_job: Job, _plan: VideoPlan, track: AudioTrack, { firstSegment, segments }: Chunk) =>
      void order.push(`preview ${track.name} ${firstSegment}+${segments}: ${where()}`),
    encodeAudio: async (_job: Job, _plan: VideoPlan, track: AudioTrack) => {
      order.push(`${track.name}: ${where()}`);
      return encoded(track.name);
    },
    announcePlayable: async () => void order.push(`playable: ${where()}`),
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilProgress(handle, 'playable', ({ state }) => state === 'playable');
    expect((await handle.query<Progress>('progress')).stage).toBe('encoding');
    await until(() => order.length >= 13);
    bulk.open();
    await handle.result();
    expect(order[0]).toBe('inspect: urgent 2');
    expect(order.slice(1).sort()).toEqual(
      [
        '0+1 360p: urgent 2',
        'preview audio-0 0+4: urgent 2',
        'playable: bulk 3',
        'audio-0: bulk 3',
        // The first segment, the first two minutes, the rest.
        '0+1 720p 360p: urgent 2',
        '1+2 720p 360p: bulk 3',
        ...['3+4', '7+8', '15+8', '23+8'].map((chunk) => `${chunk} 720p 360p: bulk 3`),
        ...['31+8', '39+8', '47+8', '55+5'].map((chunk) => `${chunk} 720p 360p: bulk 4`),
      ].sort(),
    );
    // Who waits for the first segment has the machine alone, but for its sound.
    expect(order.slice(1, 3).sort()).toEqual(['0+1 360p: urgent 2', 'preview audio-0 0+4: urgent 2']);
  });
});

test('a first look that fails holds up nothing, and the video is not called playable', async () => {
  let announced = false;
  const activities = {
    encodeChunk: async (request: ChunkRequest) => {
      if (request.rungs.length === 1) throw damaged();
      return chunkResult(request);
    },
    announcePlayable: async () => void (announced = true),
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    expect(announced).toBe(false);
  });
});

test('sound alone is playable with its first preview', async () => {
  const order: string[] = [];
  const sound = { ...plan, kind: 'audio' as const, rungs: [], grid: undefined, stills: { posterFrames: [] } };
  const { activities, finish } = held(sound, {
    announcePlayable: async (_job, kind) => void order.push(kind),
  });
  await bench.run('processVideo', activities, async (handle) => {
    await untilProgress(handle, 'playable', ({ state }) => state === 'playable');
    finish();
    expect(await handle.result()).toMatchObject({ kind: 'audio', state: 'ready' });
    expect(order).toEqual(['audio']);
  });
});

test('the lowest rung may be cancelled while it is first looked at: the next one is shown', async () => {
  const calls: string[] = [];
  const activities = {
    encodeChunk: async (request: ChunkRequest) => {
      calls.push(described(request));
      return described(request) === '0+1 360p' ? untilCancelled() : chunkResult(request);
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    await until(() => calls.includes('0+1 360p'));
    await handle.executeUpdate('cancelRendition', { args: ['360p'] });
    expect(await handle.result()).toMatchObject({ state: 'partial', renditions: ['720p', 'audio-0'] });
    expect(calls).toContain('0+1 720p');
  });
});

test('what a viewer waits for is made at once, in short runs, each segment once', async () => {
  const { calls, activities, finish } = held(longPlan(200, { chunkSegments: 8 }));
  await bench.run('processVideo', activities, async (handle) => {
    await untilProgress(handle, 'playable', ({ state }) => state === 'playable');
    const before = calls.length;
    await want(handle, '360p', 150);
    await until(() => calls.includes('150+4 360p'));
    await want(handle, '360p', 152);
    await want(handle, '360p', 149);
    await until(() => calls.includes('149+1 360p'));
    await want(handle, '720p', 199);
    await until(() => calls.includes('199+1 720p'));
    await want(handle, 'audio-0', 150);
    await until(() => calls.includes('150+4 audio-0'));
    await want(handle, 'audio-0', 3);
    await want(handle, '720p', 20);
    await until(() => calls.includes('20+2 720p'));
    expect(calls.slice(before).filter((call) => !call.includes('720p 360p'))).toEqual([
      '150+4 360p',
      '149+1 360p',
      '199+1 720p',
      '150+4 audio-0',
      '20+2 720p',
    ]);
    finish();
    expect(await handle.result()).toMatchObject({ state: 'ready' });
  });
});

test('nonsense, what is done and what can not be begun in the middle is not made', async () => {
  const passthrough = { ...plan.rungs[0]!, passthrough: true as const };
  const inspected = longPlan(203, { chunkSegments: 8, rungs: [passthrough, ...plan.rungs.slice(1)] });
  const calls: string[] = [];
  const last = gate();
  const activities = {
    inspectMedia: async () => ({ outcome: 'media' as const, plan: inspected }),
    encodeChunk: async (request: ChunkRequest) => {
      calls.push(described(request));
      if (request.stills && request.chunk.firstSegment === 199) await last.opened;
      return chunkResult(request);
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilProgress(handle, 'all but one', ({ chunks }) => chunks?.states.endsWith('dr') ?? false);
    const before = calls.length;
    for (const [name, segment] of [
      ['360p', 5],
      ['360p', 203],
      ['360p', -1],
      ['360p', 1.5],
      ['360p', '200'],
      ['4320p', 200],
      ['720p', 200],
      ['audio-0', 203],
      [{}, 200],
    ])
      await want(handle, name, segment);
    await handle.signal('wanted');
    await handle.signal('wanted', null);
    await handle.signal('wanted', 'segment 5');
    await want(handle, '360p', 199);
    await until(() => calls.includes('199+4 360p') && calls.length > before);
    expect(calls.slice(before)).toEqual(['199+4 360p']);
    last.open();
    expect(await handle.result()).toMatchObject({ state: 'ready' });
  });
});

test('a wish that fails harms nothing but itself, and is not tried again', async () => {
  let tries = 0;
  const scene = held(longPlan(200, { chunkSegments: 8 }));
  const activities = {
    ...scene.activities,
    encodeChunk: async (request: ChunkRequest) => {
      if (request.chunk.firstSegment !== 150) return scene.activities.encodeChunk!(request);
      tries += 1;
      throw damaged();
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    await want(handle, '360p', 150);
    await until(() => tries > 0);
    await want(handle, '360p', 150);
    await want(handle, '360p', 160);
    await until(() => scene.calls.includes('160+4 360p'));
    scene.finish();
    expect(await handle.result()).toMatchObject({ state: 'ready', missing: [] });
    expect(tries).toBe(1);
  });
});

test('wishes are bounded: few at a time, the newest first, five hundred in all', async () => {
  let now = 0;
  let most = 0;
  const made: number[] = [];
  const slow = gate();
  const scene = held(longPlan(9000, { chunkSegments: 30 }));
  const activities = {
    ...scene.activities,
    encodeChunk: async (request: ChunkRequest) => {
      const { firstSegment } = request.chunk;
      if (firstSegment < 3000 || request.rungs.length > 1) return scene.activities.encodeChunk!(request);
      made.push(firstSegment);
      now += 1;
      most = Math.max(most, now);
      await slow.opened;
      now -= 1;
      return chunkResult(request);
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    await untilProgress(handle, 'playable', ({ state }) => state === 'playable');
    for (let i = 0; i < 4; i += 1) await want(handle, '720p', 3000 + 2 * i);
    await until(() => made.length === 4);
    for (let i = 4; i < 40; i += 1) await want(handle, '720p', 3000 + 2 * i);
    slow.open();
    await until(() => made.length === 20);
    // The sixteen newest.
    expect(made.slice(4).sort()).toEqual(Array.from({ length: 16 }, (_, i) => 3000 + 2 * (24 + i)));
    expect(most).toBe(4);
    for (let i = 100; i < 700; i += 1) {
      await want(handle, '720p', 3000 + 2 * i);
      if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await until(() => made.length >= 500);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(made).toHaveLength(500);
    scene.finish();
    await handle.result();
  });
}, 120_000);

test('the chunk that a viewer is in goes next, and those after it', async () => {
  const scene = held(longPlan(800, { chunkSegments: 8 }));
  await bench.run('processVideo', scene.activities, async (handle) => {
    const isChunk = (call: string): boolean => call.endsWith('720p 360p');
    await until(() => scene.calls.filter(isChunk).length === 16);
    await want(handle, '360p', 600);
    await until(() => scene.calls.includes('600+4 360p'));
    scene.finish();
    await handle.result();
    const scheduled = (await summaries(handle)).flatMap((line) => {
      const start = /^segments? (\d+).*: 720p 360p$/.exec(String(line))?.[1];
      return start === undefined || start === '0' ? [] : [Number(start)];
    });
    const starts = [1, 3, ...Array.from({ length: 100 }, (_, i) => 7 + 8 * i)];
    // Sixteen, the first one among them, were on their way when the viewer came.
    const [begun, rest] = [starts.slice(0, 15), starts.slice(15)];
    expect(scheduled).toEqual([
      ...begun,
      ...rest.filter((start) => start >= 599),
      ...rest.filter((start) => start < 599),
    ]);
  });
});

test('a wish that is under way when all is done is stopped before anything is published', async () => {
  const order: string[] = [];
  const scene = held(longPlan(40, { chunkSegments: 8 }));
  const activities = {
    ...scene.activities,
    encodeChunk: async (request: ChunkRequest) => {
      if (described(request) !== '30+2 720p') return scene.activities.encodeChunk!(request);
      order.push('begun');
      return untilCancelled(() => order.push('stopped'));
    },
    publishMedia: async (request: PublishRequest) => {
      order.push('publish');
      return published(request);
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    await want(handle, '720p', 30);
    await until(() => order.length === 1);
    scene.finish();
    await handle.result();
    expect(order).toEqual(['begun', 'stopped', 'publish']);
  });
});

test('a rung of the source itself is copied, and everything else is encoded', async () => {
  const calls: string[] = [];
  const passthrough = { ...plan.rungs[0]!, passthrough: true as const };
  const activities = {
    inspectMedia: async () => ({ outcome: 'media' as const, plan: { ...plan, rungs: [passthrough, plan.rungs[1]!] } }),
    encodeChunk: async (request: ChunkRequest) => {
      calls.push(described(request));
      return chunkResult(request);
    },
    copyRung: async (_job: Job, _plan: VideoPlan, rung: string): Promise<ChunkResult> => {
      calls.push(`copy ${rung}`);
      return { frames: 200, endedEarly: false, damagedFrames: 0, quality: [] };
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready', renditions: ['720p', '360p', 'audio-0'] });
    expect(calls.sort()).toEqual(['0+1 360p', '0+1 360p', '1+1 360p', 'copy 720p']);
  });
});

test('a copy that does not fit is encoded instead, and is not missed', async () => {
  const calls: string[] = [];
  const published_: PublishRequest[] = [];
  const instead = plan.rungs[0]!;
  const rungs = [{ ...instead, codecs: 'avc1.4d001f', passthrough: true as const }, plan.rungs[1]!];
  const activities = {
    inspectMedia: async () => ({ outcome: 'media' as const, plan: { ...plan, rungs } }),
    encodeChunk: async (request: ChunkRequest) => {
      calls.push(`${described(request)} ${request.plan.rungs[0]!.codecs}`);
      return chunkResult(request);
    },
    copyRung: async () => ({ frames: 200, endedEarly: false, damagedFrames: 0, quality: [], instead }),
    publishMedia: async (request: PublishRequest) => (published_.push(request), published(request)),
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready', missing: [] });
    const own = calls.filter((call) => call.includes('720p'));
    // The first chunk waits for the first look, and may bring it too.
    expect(new Set(own.map((call) => call.split(' ')[0]))).toEqual(new Set(['0+1', '1+1']));
    for (const call of own) expect(call).toContain(instead.codecs);
    expect(published_[0]!.plan.rungs).toEqual(plan.rungs);
  });
});

test('pictures are made when their chunks are done, subtitles when there are any, and each may be missing', async () => {
  const order: string[] = [];
  let request: PublishRequest | undefined;
  const inspected = longPlan(20, {
    chunkSegments: 4,
    stills: {
      posterFrames: [20, 350],
      storyboard: {
        ...{ intervalFrames: 100, tiles: 20, tileWidth: 160, tileHeight: 90, columns: 5, rows: 4, format: 'jpeg' },
      },
    },
    subtitles: [
      { name: 'subs-0-eng', streamIndex: 2, isDefault: true, isForced: false },
      { name: 'subs-1-deu', streamIndex: 3, isDefault: false, isForced: false },
    ],
  });
  const activities = {
    inspectMedia: async () => ({ outcome: 'media' as const, plan: inspected }),
    encodeChunk: async (asked: ChunkRequest) => {
      if (asked.rungs.length > 1) {
        await new Promise((resolve) => setTimeout(resolve, asked.chunk.firstSegment * 100));
        order.push(described(asked));
      }
      return chunkResult(asked);
    },
    makePoster: async () => {
      order.push('poster');
      return [{ name: 'poster.jpg', type: 'poster' as const, key: 'k', mime: 'image/jpeg', bytes: 1 }];
    },
    makeStoryboard: async () => {
      order.push('storyboard');
      throw damaged();
    },
    makeSubtitles: async () => ['subs-1-deu'],
    publishMedia: async (asked: PublishRequest) => published((request = asked)),
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'partial' });
    expect(order.indexOf('poster')).toBeGreaterThan(order.indexOf('3+4 720p 360p'));
    expect(order.indexOf('poster')).toBeLessThan(order.indexOf('15+4 720p 360p'));
    expect(order.at(-1)).toBe('storyboard');
    expect(request?.made).toMatchObject({ subtitles: ['subs-1-deu'], pictures: [{ name: 'poster.jpg' }] });
    // A track without a word in it is not missed.
    expect(request?.made.missing.map(({ name }) => name)).toEqual(['storyboard']);
  });
});

test('a source that ends before its time voids the rest of the plan', async () => {
  let request: PublishRequest | undefined;
  const activities = {
    inspectMedia: async () => ({ outcome: 'media' as const, plan: longPlan(400, { chunkSegments: 8 }) }),
    encodeChunk: async (asked: ChunkRequest) => {
      const { firstSegment } = asked.chunk;
      if (firstSegment < 15) return chunkResult(asked, { damagedFrames: 2 });
      // Later chunks find nothing, and one of them damage.
      if (firstSegment > 15) return chunkResult(asked, { frames: 0, endedEarly: true, damagedFrames: 50 });
      return chunkResult(asked, { frames: 130, endedEarly: true });
    },
    publishMedia: async (asked: PublishRequest) => published((request = asked)),
  };
  await bench.run('processVideo', activities, async (handle) => {
    await handle.result();
    // Chunks 0+1, 1+2, 3+4, 7+8 are whole.
    expect(request?.made).toMatchObject({ frames: 1500 + 130, damagedFrames: 8 });
    const { chunks } = await handle.query<Progress>('progress');
    expect(chunks?.states).toMatch(/^d+$/);
    expect(chunks).toMatchObject({ segments: { done: 400, total: 400 } });
  });
});
