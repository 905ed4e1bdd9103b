/** Verification, one round of mending, and repair. */
import type { ChunkRequest, Finding, Made, PublishOutcome, PublishRequest } from '../../src/contracts/activities.js';
import type { Job } from '../../src/contracts/assets.js';
import type { Progress } from '../../src/contracts/progress.js';
import type { AudioTrack, VideoPlan } from '../../src/contracts/plan.js';
import { useStack } from '../support/stack.js';
import {
  chunkResult,
  damaged,
  described,
  encoded,
  failureOf,
  longPlan,
  makeJob,
  openBench,
  plan,
  published,
  type Bench,
} from './support.js';

const stack = useStack();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench(stack.config.temporal);
});
afterAll(() => bench.close());

const inspected = longPlan(20, { chunkSegments: 8 });

/** Publishing finds these faults once; everything that is made afterwards is listed. */
function faulty(findings: readonly Finding[]) {
  const asked: PublishRequest[] = [];
  const again: string[] = [];
  const note = (call: string): void => {
    if (asked.length > 0) again.push(call);
  };
  const activities = {
    inspectMedia: async () => ({ outcome: 'media' as const, plan: inspected }),
    encodeChunk: async (request: ChunkRequest) => {
      note(described(request));
      return chunkResult(request, {
        quality: request.rungs.map((name) => ({ name, ssim: asked.length ? 0.99 : 0.8 })),
      });
    },
    encodeAudio: async (_job: Job, _plan: VideoPlan, { name }: AudioTrack) => {
      note(name);
      return { ...encoded(name), gain: asked.length };
    },
    publishMedia: async (request: PublishRequest): Promise<PublishOutcome> => {
      asked.push(request);
      return asked.length === 1 ? { outcome: 'faulty', findings } : published(request);
    },
  };
  return { activities, asked, again };
}

test('what does not pass is made again alone, once, and what was measured of it counts no more', async () => {
  const scene = faulty([
    { name: '720p', problem: 'Segment 3 is missing.', segments: [{ firstSegment: 3, segments: 1 }] },
    {
      name: '360p',
      problem: 'Segments 3 and 9 are damaged.',
      segments: [
        { firstSegment: 3, segments: 1 },
        { firstSegment: 9, segments: 2 },
      ],
    },
    { name: 'audio-0', problem: 'It is too short.' },
  ]);
  await bench.run('processVideo', scene.activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready', missing: [] });
    expect(scene.again.sort()).toEqual(['3+1 720p 360p', '9+2 360p', 'audio-0']);
    expect(scene.asked.map(({ lastTry }) => lastTry)).toEqual([false, true]);
    expect(scene.asked[1]?.made).toMatchObject({ audio: [{ name: 'audio-0', gain: 1 }], frames: 2000 });
  });
});

test('a rung that is at fault as a whole is made again chunk by chunk', async () => {
  const scene = faulty([{ name: '720p', problem: 'Its quality is too low.' }]);
  await bench.run('processVideo', scene.activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    expect(scene.again.sort()).toEqual(['0+1 720p', '1+2 720p', '15+5 720p', '3+4 720p', '7+8 720p']);
    expect(scene.asked[0]?.made.quality).toContainEqual({ name: '720p', ssim: 0.8 });
    expect(scene.asked[1]?.made.quality).toContainEqual({ name: '720p', ssim: 0.99 });
    expect(scene.asked[1]?.made.quality).toContainEqual({ name: '360p', ssim: 0.8 });
  });
});

test('what can not be made again is named, and the rest is published', async () => {
  const scene = faulty([{ name: '720p', problem: 'Missing.', segments: [{ firstSegment: 3, segments: 1 }] }]);
  const activities = {
    ...scene.activities,
    encodeChunk: async (request: ChunkRequest) => {
      if (scene.asked.length > 0) throw damaged();
      return chunkResult(request);
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({
      state: 'partial',
      renditions: ['360p', 'audio-0'],
      missing: [{ name: '720p', error: { code: 'DAMAGED_FILE' } }],
    });
  });
});

test('what publishing withdraws is told as failed', async () => {
  const error = { code: 'VERIFY_FAILED' as const, message: 'The result did not pass verification.' };
  const activities = {
    publishMedia: async (request: PublishRequest): Promise<PublishOutcome> => ({
      ...(published(request) as Extract<PublishOutcome, { outcome: 'published' }>),
      state: 'partial',
      missing: [{ name: '720p', error }],
    }),
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'partial', missing: [{ name: '720p' }] });
    const { parts } = await handle.query<Progress>('progress');
    expect(parts).toContainEqual({ name: '720p', state: 'failed', error });
    expect(parts).toContainEqual({ name: '360p', state: 'done' });
  });
});

describe('repair', () => {
  const made: Made = {
    frames: 1930,
    damagedFrames: 4,
    quality: [{ name: '360p', ssim: 0.97 }],
    audio: [encoded('audio-0')],
    subtitles: [],
    pictures: [{ name: 'poster.jpg', type: 'poster', key: 'k', mime: 'image/jpeg', bytes: 1 }],
    missing: [{ name: '720p', error: { code: 'CANCELLED', message: 'Processing was cancelled.' } }],
  };

  function repair(findings: readonly Finding[], renditions?: readonly string[]) {
    const scene = faulty(findings);
    const job = makeJob();
    const ends: unknown[] = [];
    const activities = {
      ...scene.activities,
      encodeChunk: async (request: ChunkRequest) => {
        scene.again.push(described(request));
        return chunkResult(request);
      },
      loadPlan: async () => ({ job, plan: inspected, startedAt: '2026-01-01T00:00:00Z', made }),
      recordEnd: async (request: unknown) => void ends.push(request),
      discardOutputs: async (request: unknown) => void ends.push(request),
    };
    const request = { assetId: job.assetId, generation: 1, tenant: 'acme', renditions };
    return { ...scene, ends, activities, args: (queues: unknown) => [request, queues] };
  }

  test('makes what is missing or at fault, keeps what was known, and publishes the same generation again', async () => {
    const scene = repair([{ name: '360p', problem: 'Missing.', segments: [{ firstSegment: 19, segments: 1 }] }]);
    await bench.run(
      'repairVideo',
      scene.activities,
      async (handle) => {
        expect(await handle.result()).toMatchObject({ state: 'partial', renditions: ['360p', 'audio-0'] });
        expect(scene.again).toEqual(['19+1 360p']);
        const [first, second] = scene.asked;
        expect(first).toMatchObject({ repair: true, lastTry: false, startedAt: '2026-01-01T00:00:00Z', made });
        expect(second).toMatchObject({ repair: true, lastTry: true, job: { generation: 1 } });
      },
      scene.args,
    );
  });

  test('a cancelled rendition comes back when it is asked for by its name, and nothing else is touched', async () => {
    const scene = repair(
      [
        { name: '720p', problem: 'Missing.', segments: [{ firstSegment: 0, segments: 20 }] },
        { name: 'audio-0', problem: 'Missing.' },
      ],
      ['720p'],
    );
    await bench.run(
      'repairVideo',
      scene.activities,
      async (handle) => {
        await handle.result();
        expect(scene.asked[0]?.made.missing).toEqual([]);
        expect(scene.again).toEqual(['0+20 720p']);
      },
      scene.args,
    );
  });

  test('lost pictures are made of frames that are taken out of the source again', async () => {
    const scene = repair([{ name: 'poster', problem: 'poster.jpg is missing.' }]);
    const activities = {
      ...scene.activities,
      makePoster: async () => (scene.again.push('poster'), [{ ...made.pictures[0]!, bytes: 2 }]),
    };
    await bench.run(
      'repairVideo',
      activities,
      async (handle) => {
        await handle.result();
        const last = scene.again.pop();
        expect([scene.again, last]).toEqual([['0+1 '], 'poster']);
        expect(scene.asked[1]?.made.pictures).toMatchObject([{ name: 'poster.jpg', bytes: 2 }]);
      },
      scene.args,
    );
  });

  test('what could not be made before is tried again, unless something else is asked for', async () => {
    const error = { code: 'STORE_UNAVAILABLE' as const, message: 'The store could not be reached.' };
    const missing = [...made.missing, { name: 'poster', error }];
    for (const [renditions, expected] of [
      [undefined, ['0+1 ', 'poster']],
      [['360p'], []],
    ] as const) {
      const scene = repair([], renditions);
      const activities = {
        ...scene.activities,
        loadPlan: async () => ({ ...(await scene.activities.loadPlan()), made: { ...made, pictures: [], missing } }),
        makePoster: async () => (scene.again.push('poster'), [...made.pictures]),
      };
      await bench.run(
        'repairVideo',
        activities,
        async (handle) => {
          await handle.result();
          expect(scene.again).toEqual(expected);
          for (const request of scene.asked)
            expect([request.mends, request.made.missing]).toEqual([renditions, renditions ? missing : made.missing]);
        },
        scene.args,
      );
    }
  });

  test('a repair that fails changes nothing of what is published', async () => {
    const scene = repair([]);
    const activities = {
      ...scene.activities,
      publishMedia: async () => {
        throw damaged();
      },
    };
    await bench.run(
      'repairVideo',
      activities,
      async (handle) => {
        const error = await handle.result().catch((e: unknown) => e);
        expect(failureOf(error).type).toBe('DAMAGED_FILE');
        expect(scene.ends).toEqual([]);
      },
      scene.args,
    );
  });
});

test('a plan without pictures and subtitles asks for none', async () => {
  const asked: string[] = [];
  const activities = {
    inspectMedia: async () => ({ outcome: 'media' as const, plan: { ...plan, stills: { posterFrames: [] } } }),
    makePoster: async () => (asked.push('poster'), []),
    makeStoryboard: async () => (asked.push('storyboard'), []),
    makeSubtitles: async () => (asked.push('subtitles'), []),
  };
  await bench.run('processVideo', activities, async (handle) => {
    await handle.result();
    expect(asked).toEqual([]);
  });
});
