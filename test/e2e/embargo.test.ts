/** What is held back, and what is needed by a time, through real workers: what others see of it, and when. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createCatalogue } from '../../src/catalogue/postgres.js';
import type { AssetRow, Catalogue } from '../../src/catalogue/catalogue.js';
import { connectTemporal, type OpenClient } from '../../src/client/connection.js';
import { result, startImage, startVideo, type StartedJob, type StartOptions } from '../../src/client/jobs.js';
import type { Config } from '../../src/config/schema.js';
import { makePhoto, makeVideo } from '../../src/local/samples.js';
import { createObjectStore } from '../../src/storage/index.js';
import { useStack } from '../support/stack.js';
import { readTopic } from '../support/topic.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const stack = useStack();
let dir: string;
let config: Config;
let catalogue: Catalogue;
let client: OpenClient;
let worker: OwnProcess;
let film: string;
let photo: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-embargo-'));
  config = await stack.isolated({ database: true, overrides: { scratch: { dir: join(dir, 'scratch') } } });
  catalogue = createCatalogue(config.catalogue);
  client = await connectTemporal(config.temporal);
  film = join(dir, 'film.mp4');
  photo = join(dir, 'photo.jpg');
  await Promise.all([makeVideo(film, { seconds: 2, width: 320, height: 180 }), makePhoto(photo, 640, 480)]);
  worker = await startProcess('workers/all.js', config, 'worker ready');
}, 180_000);

afterAll(async () => {
  worker.kill('SIGTERM');
  expect(await worker.exited).toBe(0);
  await client.close();
  await catalogue.close();
  await rm(dir, { recursive: true });
}, 60_000);

async function start(kind: 'video' | 'image', key: string, options: StartOptions): Promise<StartedJob> {
  const store = createObjectStore(config.storage);
  const bucket = config.storage.uploadsBucket;
  await store.putFile(bucket, key, kind === 'video' ? film : photo, { contentType: 'application/octet-stream' });
  const { etag, versionId } = await store.stat(bucket, key);
  const begin = kind === 'video' ? startVideo : startImage;
  return begin(client.temporal, { bucket, key, etag, versionId }, { queues: config.queues, ...options });
}

interface Told {
  readonly type: string;
  readonly time: string;
  readonly data: { readonly assetId: string; readonly state?: string };
}

async function told({ assetId }: StartedJob): Promise<Told[]> {
  const records = await readTopic(config, config.kafka.resultsTopic);
  const events = records.map(({ value }) => JSON.parse(value!.toString()) as Told);
  return events.filter(({ data }) => data.assetId === assetId);
}

const rowOf = async ({ assetId }: StartedJob): Promise<AssetRow> => (await catalogue.find(assetId))!;

test('nothing of a film or a picture is told or published before its time, and then at once', async () => {
  const publishNotBefore = new Date(Date.now() + 30_000);
  const publishBy = new Date(publishNotBefore.getTime() + 30_000);
  const wishes = { publishNotBefore, publishBy };
  // The same bytes, without an embargo: it does not wait for those that are held back, and they do not play early by it.
  const jobs = [await start('video', 'a.mp4', wishes), await start('image', 'b.jpg', wishes)];
  const open = await start('video', 'c.mp4', {});
  expect(await result(client.temporal, open.workflowId)).toMatchObject({ state: 'ready' });
  for (const job of jobs) {
    expect(await result(client.temporal, job.workflowId)).toMatchObject({ state: 'ready' });
    const row = await rowOf(job);
    expect(row).toMatchObject({ state: 'ready', generation: 1, deadlineState: 'met' });
    expect(row.firstPublishedAt!.getTime()).toBeGreaterThanOrEqual(publishNotBefore.getTime());
    const { readyAt, playableAt } = row.document!.timings;
    for (const time of [readyAt!, playableAt!])
      expect(Date.parse(time)).toBeGreaterThanOrEqual(publishNotBefore.getTime());
    const early = (await told(job)).filter(({ time }) => Date.parse(time) < publishNotBefore.getTime());
    expect(early.map(({ data }) => data.state)).toEqual(['processing']);
    const history = await catalogue.history(job.assetId);
    const published = history.filter(({ to }) => to === 'playable' || to === 'ready');
    for (const { at } of published) expect(at.getTime()).toBeGreaterThanOrEqual(publishNotBefore.getTime());
    // Its own outputs: those of the same bytes are another matter.
    expect(row.outputsPrefix).toBe(`assets/${job.assetId}/g1/`);
  }
}, 120_000);

test('a deadline in the past is told of at once, and what is late is published all the same', async () => {
  const job = await start('video', 'late.mp4', { publishBy: new Date('2000-01-01T00:00:00Z'), profile: 'default' });
  await result(client.temporal, job.workflowId);
  const row = await rowOf(job);
  expect(row).toMatchObject({ state: 'ready', deadlineState: 'missed' });
  const words = (await told(job)).filter(({ type }) => type === 'io.mediamill.asset.deadline');
  expect(words.map(({ data }) => data.state)).toEqual(['at-risk', 'missed']);
  const [first] = await told(job);
  expect(first!.type).toBe('io.mediamill.asset.deadline');
}, 120_000);
