/** What a ten-hour source costs Temporal, with steps that do nothing. */
import type { ChunkRequest } from '../../src/contracts/activities.js';
import { useStack } from '../support/stack.js';
import { chunkResult, longPlan, openBench, plan, type Bench } from './support.js';

/** Temporal ends a workflow there. */
const LIMIT_EVENTS = 51_200;
const LIMIT_BYTES = 50 * 1024 ** 2;

const stack = useStack();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench(stack.config.temporal);
});
afterAll(() => bench.close());

test('ten hours in chunks of a minute stay within a tenth of what Temporal allows', async () => {
  const rung = (i: number) => ({ ...plan.rungs[0]!, name: `rung-${i}`, height: 2160 - i });
  const inspected = longPlan(9000, {
    chunkSegments: 15,
    rungs: Array.from({ length: 8 }, (_, i) => rung(i)),
    audio: Array.from({ length: 8 }, (_, i) => ({ ...plan.audio[0]!, name: `audio-${i}` })),
    facts: {
      ...plan.facts,
      duration: 36_000,
      audio: Array.from({ length: 8 }, () => plan.facts.audio[0]!),
    },
    stills: {
      posterFrames: Array.from({ length: 12 }, (_, i) => 60 * i),
      storyboard: {
        ...{ intervalFrames: 1500, tiles: 600, tileWidth: 160, tileHeight: 90, columns: 10, rows: 10, format: 'jpeg' },
      },
    },
  });
  let encodes = 0;
  const activities = {
    inspectMedia: async () => ({ outcome: 'media' as const, plan: inspected }),
    encodeChunk: async (request: ChunkRequest) => {
      encodes += 1;
      return chunkResult(request, { quality: request.rungs.map((name) => ({ name, ssim: 0.987654 })) });
    },
  };
  await bench.run('processVideo', activities, async (handle) => {
    expect(await handle.result()).toMatchObject({ state: 'ready' });
    const { raw } = await handle.describe();
    const events = Number(raw.workflowExecutionInfo?.historyLength);
    const bytes = Number(raw.workflowExecutionInfo?.historySizeBytes);
    process.stdout.write(
      `10 h, ${encodes} encodes, 8 rungs, 8 tracks: ${events} events, ${(bytes / 1024 ** 2).toFixed(1)} MiB of history`,
    );
    expect(events).toBeLessThan(LIMIT_EVENTS / 10);
    expect(bytes).toBeLessThan(LIMIT_BYTES / 10);
  });
}, 180_000);
