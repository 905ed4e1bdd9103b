import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '../support/processes.js';
import { processEnv, useStack } from '../support/stack.js';
import { openBench, withStarters, type Bench } from '../support/starter.js';

const stack = useStack();
const BIN = fileURLToPath(new URL('../../bin/mediamill.mjs', import.meta.url));
let bench: Bench;

beforeAll(async () => {
  bench = await openBench(await stack.isolated());
}, 60_000);
afterAll(() => bench?.close());

const mediamill = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(process.execPath, [BIN, ...args], { env: processEnv(bench.config) })).stdout;
const list = async (): Promise<{ id: string; reason: string; replayed: boolean; replays: number }[]> => {
  const lines = (await mediamill('dlq', 'list', '--json')).trim().split('\n');
  return lines.filter(Boolean).map((line) => JSON.parse(line));
};

/** Longer than `starter.maxEventBytes`, and so long that the dead-letter topic has no room for its headers. */
const HUGE = 'x'.repeat(1_048_450);

test('poison of every kind is dead-lettered with its reason while good events pass; replay mends what can be mended', async () => {
  const bucket = bench.config.storage.uploadsBucket;
  const cloudEvent = (data: object): string =>
    JSON.stringify({ specversion: '1.0', id: '1', source: '/t', type: 't', data });
  const poison: [reason: string, key: string | null, value: string | null][] = [
    ['EVENT_NOT_JSON', null, '{"Records": ['],
    ['EVENT_UNKNOWN_FORM', null, '{"hello": "world"}'],
    ['EVENT_TOO_LARGE', null, 'x'.repeat(300_000)],
    ['EVENT_TOO_LARGE', null, HUGE],
    ['EVENT_EMPTY', 'video/mp4', null],
    ['EVENT_INVALID', null, cloudEvent({ bucket, key: 'good.mp4', priority: 'urgent' })],
    ['OBJECT_MISSING', 'video/mp4', 'missing.mp4'],
    ['OBJECT_MISSING', null, cloudEvent({ bucket: 'no-such-bucket', key: 'a.mp4' })],
    ['OBJECT_MISSING', null, cloudEvent({ bucket, key: 'good.mp4', versionId: 'no-such-version' })],
    ['OBJECT_KEY_INVALID', 'video/mp4', '../../etc/passwd'],
    ['OBJECT_KEY_INVALID', 'video/mp4', `${'a'.repeat(1_000)}.mp4`],
    ['OBJECT_IS_DIRECTORY', 'video/mp4', 'folder/'],
    ['BUCKET_REFUSED', null, cloudEvent({ bucket: bench.config.storage.mediaBucket, key: 'a.mp4' })],
  ];
  await bench.upload(['good.mp4']);
  for (const [, key, value] of poison) await bench.produce([{ key, value }]);
  await bench.produce([{ key: 'video/mp4', value: 'good.mp4' }]);

  await withStarters(bench.config, 1, async () => {
    await until('consumer lag 0', async () => (await bench.lag()) === 0n, 30_000);
    const letters = await bench.letters();
    expect(letters.map(({ reason }) => reason).sort()).toEqual(poison.map(([reason]) => reason).sort());
    for (const letter of letters) {
      expect(letter.origin).toMatchObject({
        topic: bench.config.kafka.uploadsTopic,
        offset: expect.stringMatching(/^\d+$/),
      });
      expect(Date.now() - Date.parse(letter.time)).toBeLessThan(60_000);
    }
    expect(letters.filter(({ whole }) => !whole).map(({ record }) => record.value?.length)).toEqual([4096]);
    await until('the good event started', async () => (await bench.countWorkflows()) === 1, 10_000);

    const lost = letters.find(({ record }) => record.value?.toString() === 'missing.mp4')!;
    expect(await mediamill('dlq', 'show', lost.id)).toMatch(/OBJECT_MISSING[^]*missing\.mp4/);
    await bench.upload(['missing.mp4']);
    expect(await mediamill('dlq', 'replay', '--reason', 'OBJECT_MISSING')).toBe('3 events replayed\n');
    await until('the replayed event started', async () => (await bench.countWorkflows()) === 2, 10_000);
    await until('consumer lag 0', async () => (await bench.lag()) === 0n, 10_000);

    // Two came back, as new letters that know of their replay; the old ones are not sent again.
    const after = (await list()).filter(({ reason }) => reason === 'OBJECT_MISSING');
    expect(after.map(({ replayed, replays }) => [replayed, replays]).sort()).toEqual([
      [false, 1],
      [false, 1],
      [true, 0],
      [true, 0],
      [true, 0],
    ]);
    await expect(mediamill('dlq', 'replay', lost.id)).rejects.toThrow('replayed already');
  });
}, 120_000);
