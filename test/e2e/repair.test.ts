/** What happens around a published video: it can be watched before, and mended after. Real workers, real ffmpeg. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Catalogue } from '../../src/catalogue/catalogue.js';
import { createCatalogue } from '../../src/catalogue/postgres.js';
import { connectTemporal, type OpenClient } from '../../src/client/connection.js';
import { repair } from '../../src/client/repair.js';
import type { Config } from '../../src/config/schema.js';
import type { StoredPlan } from '../../src/contracts/activities.js';
import { outputPrefix, type Job } from '../../src/contracts/assets.js';
import { makeVideo } from '../../src/local/samples.js';
import { planKey } from '../../src/media/video/layout.js';
import { decodeAll } from '../../src/starters/cli/decode-check.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { jobOf } from '../support/job.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const stack = useStack();
let config: Config;
let store: ObjectStore;
let catalogue: Catalogue;
let client: OpenClient;
let worker: OwnProcess;
let dir: string;

beforeAll(async () => {
  config = await stack.isolated();
  dir = await mkdtemp(join(tmpdir(), 'mediamill-repair-'));
  config = { ...config, scratch: { ...config.scratch, dir: join(dir, 'scratch') } };
  store = createObjectStore(config.storage);
  catalogue = createCatalogue(config.catalogue);
  client = await connectTemporal(config.temporal);
  worker = await startProcess('workers/all.js', config, 'worker ready');
}, 120_000);

afterAll(async () => {
  worker.kill('SIGKILL');
  await worker.exited;
  await client.close();
  await catalogue.close();
  await rm(dir, { recursive: true });
});

async function publish(name: string, profile: string, file: string): Promise<Job> {
  const { uploadsBucket: bucket } = config.storage;
  await store.putFile(bucket, name, file, { contentType: 'video/mp4' });
  const { etag, versionId } = await store.stat(bucket, name);
  const job = jobOf({ bucket, key: name, etag, versionId }, { profile, tenant: 'acme' });
  await client.temporal.workflow.execute('processVideo', {
    taskQueue: config.queues.media,
    workflowId: job.workflowId,
    args: [job, config.queues],
  });
  return job;
}

async function listing(job: Job): Promise<Map<string, string>> {
  const prefix = outputPrefix(job.assetId, job.generation);
  const etags = new Map<string, string>();
  for await (const { key, etag } of store.list(config.storage.mediaBucket, prefix))
    etags.set(key.slice(prefix.length), etag);
  return etags;
}

const segments = (etags: ReadonlyMap<string, string>): [string, string][] =>
  [...etags].filter(([key]) => /\.(m4s|mp4)$/.test(key)).sort();

test('a video is playable before it is ready; a segment that got lost is made again, and nothing else', async () => {
  const file = await makeVideo(join(dir, 'clip.mp4'), { seconds: 21, width: 640, height: 360, fps: 25 });
  const job = await publish('clip.mp4', 'default', file);
  const history = (await catalogue.history(job.assetId)).map(({ to }) => to);
  expect(history).toEqual(['processing', 'playable', 'ready']);
  const { timings } = (await catalogue.find(job.assetId))!.document!;
  expect(Date.parse(timings.playableAt!)).toBeLessThan(Date.parse(timings.readyAt!));

  const before = await listing(job);
  const [lost] = [...before.keys()].filter((key) => /^video\/.*00003\.m4s$/.test(key));
  const prefix = outputPrefix(job.assetId, 1);
  await store.remove(config.storage.mediaBucket, [prefix + lost!, `${prefix}master.m3u8`]);
  const request = { assetId: job.assetId, generation: 1, tenant: 'acme' };
  const handle = await repair(client.temporal, job.workflowId, request, config.queues);
  expect(await handle.result()).toMatchObject({ state: 'ready', missing: [] });

  const after = await listing(job);
  expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
  const same = (etags: ReadonlyMap<string, string>) => segments(etags).filter(([key]) => key !== lost);
  expect(same(after)).toEqual(same(before));
  const { document } = (await catalogue.find(job.assetId))!;
  expect((await decodeAll(document!)).filter(({ problem }) => problem)).toEqual([]);
}, 180_000);

test('a source that fits is copied, and what was copied passes verification beside what was encoded', async () => {
  const file = join(dir, 'small.mp4');
  const onGrid = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-g', '50', '-sc_threshold', '0', '-crf', '32'];
  const inputs = ['-f', 'lavfi', '-i', 'testsrc2=s=854x480:r=25:d=9', '-f', 'lavfi', '-i', 'sine=d=9'];
  const colours = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'];
  await promisify(execFile)('ffmpeg', ['-v', 'error', ...inputs, ...onGrid, ...colours, '-c:a', 'aac', file]);
  const job = await publish('small.mp4', 'archive', file);
  const { plan } = JSON.parse((await store.read(config.storage.mediaBucket, planKey(job))).toString()) as StoredPlan;
  expect(plan.rungs[0]).toMatchObject({ name: '480p', passthrough: true });
  const { document, state } = (await catalogue.find(job.assetId))!;
  expect(state).toBe('ready');
  expect(document?.renditions.map(({ type }) => type)).toEqual(expect.arrayContaining(['video', 'audio', 'poster']));
  expect((await decodeAll(document!)).filter(({ problem }) => problem)).toEqual([]);
}, 120_000);
