/** A worker that stood still while it published, and for longer than the heartbeat time-out, changes nothing any more. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { outputPrefix } from '../../src/contracts/assets.js';
import type { ProcessSummary } from '../../src/contracts/summary.js';
import { makeVideo } from '../../src/local/samples.js';
import { expectFinished } from '../support/finished.js';
import { lastWords, openMill, type Film, type Mill, type Worker } from '../support/mill.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';

const SECONDS = 8;
const FPS = 25;

const stack = useStack();
let dir: string;
let sample: string;
let mill: Mill;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-frozen-'));
  sample = await makeVideo(join(dir, 'sample.mp4'), { seconds: SECONDS, width: 320, height: 180, fps: FPS });
  mill = await openMill(dir, await stack.isolated(), ['video', 'image', 'media', 'publish', 'publish']);
}, 240_000);

afterAll(async () => {
  await mill?.close();
  await rm(dir, { recursive: true });
});

/** Everything of the asset in the store, and when it was written; what the catalogue says of it. */
async function snapshot({ job }: Film): Promise<unknown> {
  const { store, mediaBucket, catalogue } = mill;
  const objects: [string, string, Date][] = [];
  for await (const { key, etag } of store.list(mediaBucket, outputPrefix(job.assetId, job.generation)))
    objects.push([key, etag, (await store.stat(mediaBucket, key)).modifiedAt]);
  return { objects, row: await catalogue.find(job.assetId), history: await catalogue.history(job.assetId) };
}

test('frozen between its last object and the switch of the published generation', async () => {
  let frozen: Worker | undefined;
  let wakeUp: () => void = () => undefined;
  const asleep = new Promise<void>((resolve) => (wakeUp = resolve));
  mill.proxy.fault = async ({ by, method, key }) => {
    if (frozen || method !== 'PUT' || !key.endsWith('/asset.json')) return undefined;
    frozen = await mill.worker(by);
    frozen.kill('SIGSTOP');
    return { hold: asleep };
  };
  const film = await mill.submit(sample, 'frozen.mp4');
  try {
    expect((await film.handle.result()) as ProcessSummary).toMatchObject({ state: 'ready', missing: [] });
    const published = await snapshot(film);
    const asked = mill.proxy.requests.length;
    const words = frozen!.log.length;
    frozen!.kill('SIGCONT');
    wakeUp();
    await until('it has given up', () => frozen!.log.slice(words).some((line) => line.includes('stood still')), 20_000);
    expect(mill.proxy.requests.slice(asked).filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(await snapshot(film)).toEqual(published);
    await expectFinished(mill, film.job, SECONDS * FPS);
  } catch (error) {
    throw new Error(`${String(error)}\n${lastWords(mill)}`, { cause: error });
  }
}, 240_000);
