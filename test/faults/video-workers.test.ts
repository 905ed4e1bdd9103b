/** What becomes of a video when its worker is drained, killed, or told to stop. Real workers, real ffmpeg. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { WorkflowHandle } from '@temporalio/client';

import { connectTemporal, type OpenClient } from '../../src/client/connection.js';
import type { Config } from '../../src/config/schema.js';
import { outputPrefix, type AssetDocument, type Job } from '../../src/contracts/assets.js';
import { jobOf } from '../support/job.js';
import type { ProcessSummary } from '../../src/contracts/summary.js';
import { makeVideo } from '../../src/local/samples.js';
import { decodeAll } from '../../src/starters/cli/decode-check.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { descendants, isAlive, until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const SECONDS = 40;
const FPS = 25;

const stack = useStack();
let dir: string;
let sample: string;
let client: OpenClient;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-workers-'));
  sample = await makeVideo(join(dir, 'sample.mp4'), { seconds: SECONDS, width: 1280, height: 720, fps: FPS });
  client = await connectTemporal(stack.config.temporal);
}, 60_000);

afterAll(async () => {
  await client.close();
  await rm(dir, { recursive: true });
});

interface Scene {
  readonly config: Config;
  readonly store: ObjectStore;
  readonly job: Job;
  readonly handle: WorkflowHandle;
  readonly video: readonly [OwnProcess, OwnProcess];
  /** Scratch space of each of the two video workers. */
  readonly scratch: readonly [string, string];
}

/** Two video workers, one each of the others, and a video in the works. */
async function scene(play: (scene: Scene) => Promise<void>): Promise<void> {
  const scratch = [await mkdtemp(join(dir, 'scratch-')), await mkdtemp(join(dir, 'scratch-'))] as const;
  const overrides = { workers: { graceSeconds: 1, forceSeconds: 10 } };
  const config = await stack.isolated({ overrides });
  const withScratch = (path: string): Config => ({ ...config, scratch: { ...config.scratch, dir: path } });
  const processes = await Promise.all([
    startProcess('workers/video.js', withScratch(scratch[0]), 'worker ready'),
    startProcess('workers/video.js', withScratch(scratch[1]), 'worker ready'),
    startProcess('workers/image.js', withScratch(await mkdtemp(join(dir, 'scratch-'))), 'worker ready'),
    startProcess('workers/media.js', config, 'worker ready'),
    startProcess('workers/publish.js', config, 'worker ready'),
  ]);
  const [first, second] = processes;
  try {
    const store = createObjectStore(config.storage);
    const job = await put(store, config);
    const handle = await client.temporal.workflow.start('processVideo', {
      taskQueue: config.queues.media,
      workflowId: job.workflowId,
      args: [job, config.queues],
    });
    await play({ config, store, job, handle, video: [first, second], scratch });
  } catch (error) {
    throw new Error(`${String(error)}\n${processes.flatMap(({ log }) => log.slice(-15)).join('\n')}`, { cause: error });
  } finally {
    for (const one of processes) one.kill('SIGKILL');
    await Promise.all(processes.map(({ exited }) => exited));
  }
}

async function put(store: ObjectStore, config: Config): Promise<Job> {
  const bucket = config.storage.uploadsBucket;
  const key = 'sample.mp4';
  await store.putFile(bucket, key, sample, { contentType: 'video/mp4' });
  const { etag, bytes, versionId } = await store.stat(bucket, key);
  const source = { bucket, key, etag, versionId, size: bytes };
  return jobOf(source);
}

const ffmpegsOf = (worker: OwnProcess): number[] =>
  descendants(worker.pid)
    .filter(({ name }) => name === 'ffmpeg')
    .map(({ pid }) => pid);

async function segments({ store, config, job }: Scene, rung: string): Promise<string[]> {
  const keys: string[] = [];
  const prefix = `${outputPrefix(job.assetId, job.generation)}video/${rung}/`;
  for await (const { key } of store.list(config.storage.mediaBucket, prefix)) if (key.endsWith('.m4s')) keys.push(key);
  return keys;
}

/** Everything of the asset, and when it was written. */
async function objects({ store, config, job }: Scene): Promise<[string, Date][]> {
  const all: [string, Date][] = [];
  const bucket = config.storage.mediaBucket;
  for await (const { key } of store.list(bucket, outputPrefix(job.assetId, job.generation)))
    all.push([key, (await store.stat(bucket, key)).modifiedAt]);
  return all;
}

/** The encode has a few segments in the store. @returns the worker that encodes, and the other one. */
async function midEncode(now: Scene): Promise<{ busy: OwnProcess; other: OwnProcess; busyScratch: string }> {
  await until('two segments are stored', async () => (await segments(now, '720p')).length >= 2, 60_000);
  const { pendingActivities } = (await now.handle.describe()).raw;
  const encode = pendingActivities?.find(({ activityType }) => activityType?.name === 'encodeChunk');
  const index = encode?.lastWorkerIdentity?.startsWith(`${now.video[0].pid}@`) ? 0 : 1;
  return { busy: now.video[index], other: now.video[1 - index]!, busyScratch: now.scratch[index] };
}

async function expectWhole(now: Scene): Promise<void> {
  expect((await now.handle.result()) as ProcessSummary).toMatchObject({ state: 'ready', missing: [] });
  const key = `${outputPrefix(now.job.assetId, now.job.generation)}asset.json`;
  const document = JSON.parse((await now.store.read(now.config.storage.mediaBucket, key)).toString()) as AssetDocument;
  const checked = await decodeAll(document);
  expect(checked.filter(({ problem }) => problem)).toEqual([]);
  const frames = checked.filter(({ name }) => /^\d+p$/.test(name)).map(({ facts }) => facts.replace(/.*, ?/, ''));
  expect(frames.length).toBeGreaterThanOrEqual(3);
  for (const facts of frames) expect(facts).toContain(`${SECONDS * FPS} frames`);
}

test(
  'a drained worker hands its encode over: another one goes on from the last segment',
  () =>
    scene(async (now) => {
      const { busy, other } = await midEncode(now);
      const stored = await segments(now, '720p');
      busy.kill('SIGTERM');
      // One second of grace, then five to go on.
      await until('the other worker encodes', () => ffmpegsOf(other).length > 0, 6_000);
      expect(await busy.exited).toBe(0);
      expect(stored.length).toBeLessThan(SECONDS / 4);
      await expectWhole(now);
      expect(other.log.some((line) => /"startSegment":[1-9]/.test(line))).toBe(true);
    }),
  120_000,
);

test(
  'a killed worker leaves no ffmpeg behind, and another one goes on after the heartbeat timeout',
  () =>
    scene(async (now) => {
      const { busy, other } = await midEncode(now);
      const orphans = descendants(busy.pid).map(({ pid }) => pid);
      expect(ffmpegsOf(busy)).not.toEqual([]);
      busy.kill('SIGKILL');
      await until('no child of the dead worker lives', () => !orphans.some(isAlive), 20_000);
      await until('the other worker encodes', () => ffmpegsOf(other).length > 0, 60_000);
      await expectWhole(now);
    }),
  120_000,
);

test(
  'a worker that stood still for longer than the heartbeat time-out writes nothing when it comes back',
  () =>
    scene(async (now) => {
      const { busy } = await midEncode(now);
      busy.kill('SIGSTOP');
      await expectWhole(now);
      const published = await objects(now);
      busy.kill('SIGCONT');
      await until('it has given up', () => busy.log.some((line) => line.includes('stood still')), 20_000);
      await until('its encoders are gone', () => ffmpegsOf(busy).length === 0, 20_000);
      expect(await objects(now)).toEqual(published);
    }),
  180_000,
);

test(
  'a cancel leaves no process, no scratch and no partial object',
  () =>
    scene(async (now) => {
      const { busy, busyScratch } = await midEncode(now);
      const running = ffmpegsOf(busy);
      const prefix = outputPrefix(now.job.assetId, now.job.generation);
      const left = async (): Promise<string[]> => {
        const keys: string[] = [];
        for await (const { key } of now.store.list(now.config.storage.mediaBucket, prefix)) keys.push(key);
        return keys.filter((key) => !key.endsWith('asset.json'));
      };
      await now.handle.cancel();
      await until('everything is gone', async () => !running.some(isAlive) && (await left()).length === 0, 30_000);
      await expect(now.handle.result()).rejects.toThrow();
      expect((await now.handle.describe()).status.name).toBe('CANCELLED');
      expect(await filesOfJobs(busyScratch)).toEqual([]);
    }),
  120_000,
);

/** All but the cache of sources: a step that ended well before the cancel may have left the source there. */
async function filesOfJobs(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  return files.filter((name) => !/^source-[0-9a-f-]{36}$/.test(name));
}
