/** Published assets on their way to targets: real workflows, workers, buckets and receivers. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import sharp from 'sharp';
import { Webhook } from 'standardwebhooks';

import { findDeliveries, type Delivery } from '../../src/catalogue/deliveries.js';
import { createCatalogue } from '../../src/catalogue/postgres.js';
import type { Catalogue } from '../../src/catalogue/catalogue.js';
import { connect, type Database } from '../../src/catalogue/database.js';
import { connectTemporal, type OpenClient } from '../../src/client/connection.js';
import type { Config } from '../../src/config/index.js';
import { outputPrefix, type Job } from '../../src/contracts/assets.js';
import type { Asset } from '../../src/client/http-types.js';
import { RESULT_TYPES, type CloudEvent, type Delivered } from '../../src/contracts/results.js';
import { createLogger } from '../../src/logging/index.js';
import { createAdmin } from '../../src/messaging/kafka.js';
import type { EventAdmin } from '../../src/messaging/messaging.js';
import { openApi, type TestApi } from '../support/api.js';
import { merge } from '../../src/local/addresses.js';
import { createObjectStore, type ObjectStore } from '../../src/storage/index.js';
import { jobOf } from '../support/job.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

jest.setTimeout(120_000);

const SECRET = `whsec_${Buffer.from('a secret of the tests, 32 bytes!').toString('base64')}`;
const stack = useStack();
let dir: string;
let config: Config;
let archive: string;
let store: ObjectStore;
let catalogue: Catalogue;
let db: Database;
let temporal: OpenClient;
let standing: OwnProcess[];
let receiver: Recorder;
let api: TestApi;
let admin: EventAdmin;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-deliveries-'));
  receiver = await record();
  const isolated = await stack.isolated({ database: true });
  const { endpoint, accessKey, secretKey, mediaBucket } = isolated.storage;
  archive = `${mediaBucket}-archive`;
  const targets = {
    archive: { type: 'bucket', endpoint, accessKey, secretKey, bucket: archive, prefix: 'copies/' },
    told: { type: 'webhook', url: `${receiver.url}/told`, secret: SECRET },
    slow: { type: 'webhook', url: `${receiver.url}/slow`, startUrl: `${receiver.url}/start`, once: true },
    cache: { type: 'purge', url: `${receiver.url}/purge/{key}`, headers: { authorization: 'Bearer t' } },
  };
  await writeFile(join(dir, 'targets.yaml'), JSON.stringify(targets));
  const profiles = await mkdtemp(join(dir, 'profiles-'));
  const profile = (wanted: string): string =>
    `extends: default\ndescription: Delivered.\nimage: { widths: [40], formats: [jpeg] }\ntargets: [${wanted}]\n`;
  const name = (target: string, required: boolean): string => `{ name: ${target}, required: ${required} }`;
  await writeFile(
    join(profiles, 'onward.yaml'),
    profile([name('archive', true), name('told', true), name('cache', false)].join(', ')),
  );
  await writeFile(join(profiles, 'told.yaml'), profile(name('told', true)));
  await writeFile(join(profiles, 'slow.yaml'), profile(name('slow', false)));
  config = merge(isolated, {
    profiles: { dir: profiles },
    scratch: { dir: join(dir, 'scratch') },
    publishers: { targets: join(dir, 'targets.yaml') },
    webhooks: { allowPrivate: 'on' },
    workers: { graceSeconds: 1, forceSeconds: 10 },
  });
  store = createObjectStore(config.storage);
  await store.ensureBucket(archive);
  catalogue = createCatalogue(config.catalogue);
  db = connect(config.catalogue);
  temporal = await connectTemporal(config.temporal);
  api = await openApi(config);
  admin = await createAdmin(config.kafka, createLogger({ ...config.log, level: 'error' }));
  standing = await Promise.all(['workers/media.js', 'workers/image.js'].map(start));
}, 240_000);

afterAll(async () => {
  for (const one of standing ?? []) one.kill('SIGKILL');
  await Promise.all((standing ?? []).map(({ exited }) => exited));
  await temporal?.close();
  await api?.close();
  await admin?.close();
  await catalogue?.close();
  await db?.destroy();
  await receiver?.close();
  await rm(dir, { recursive: true, force: true });
});

const start = (entry: string): Promise<OwnProcess> => startProcess(entry, config, 'worker ready');

let publishers: OwnProcess[] = [];
const startPublisher = async (): Promise<OwnProcess> => {
  const worker = await start('workers/publish.js');
  publishers.push(worker);
  return worker;
};
beforeEach(() => {
  publishers = [];
  receiver.requests.length = 0;
  receiver.answer = () => 204;
});
afterEach(async () => {
  for (const one of publishers) one.kill('SIGKILL');
  await Promise.all(publishers.map(({ exited }) => exited));
});

test('a picture goes to a bucket, a webhook and a cache, and its deadline is met when the required ones have answered', async () => {
  await startPublisher();
  const { job, handle } = await submit('onward', new Date(Date.now() + 3_600_000));
  expect(await handle.result()).toMatchObject({ state: 'ready' });

  const row = (await catalogue.find(job.assetId))!;
  const made = await deliveries(job);
  expect(made.map(({ target, state, required }) => [target, state, required])).toEqual([
    ['archive', 'delivered', true],
    ['cache', 'delivered', false],
    ['told', 'delivered', true],
  ]);
  const last = Math.max(...made.filter(({ required }) => required).map(({ deliveredAt }) => deliveredAt!.getTime()));
  expect(row).toMatchObject({ state: 'ready', deadlineState: 'met' });
  expect(row.projectedAt).toEqual(new Date(last));

  const prefix = outputPrefix(job.assetId, job.generation);
  const copies = await contents(archive, `copies/${prefix}`);
  expect([...copies].map(([key, etag]) => [key.slice('copies/'.length), etag])).toEqual(
    [...(await contents(config.storage.mediaBucket, prefix))].map(([key, etag]) => [
      key,
      key.endsWith('asset.json') ? expect.any(String) : etag,
    ]),
  );
  const copied = JSON.parse((await store.read(archive, `copies/${prefix}asset.json`)).toString()) as object;
  // What only we are to know stays with us.
  expect(copied).toEqual(JSON.parse(JSON.stringify(row.document)));

  const seen = (await (await caller(job.tenant)).get(`/v1/assets/${job.assetId}`)).json() as Promise<Asset>;
  expect((await seen).deliveries).toMatchObject([
    { target: 'archive', required: true, state: 'delivered', failures: 0 },
    { target: 'cache', required: false, state: 'delivered', failures: 0 },
    { target: 'told', required: true, state: 'delivered', failures: 0 },
  ]);
  expect((await events(job)).map(({ data }) => data.target).sort()).toEqual(['archive', 'cache', 'told']);

  const [told] = receiver.to('/told');
  const said = new Webhook(SECRET).verify(told!.body, told!.headers as Record<string, string>);
  expect(said).toMatchObject({
    type: 'asset.published',
    data: { assetId: job.assetId, state: 'ready', kind: 'image' },
  });
  expect(receiver.requests.filter(({ method }) => method === 'PURGE')).toMatchObject([
    { url: `/purge/${prefix}asset.json`, headers: { authorization: 'Bearer t' } },
  ]);
});

test('a target that refuses is tried again: the asset is published meanwhile, its state is seen, and the deadline is missed', async () => {
  await startPublisher();
  let refuses = true;
  receiver.answer = () => (refuses ? 503 : 204);
  const { job, handle } = await submit('told', new Date(Date.now() + 500));
  await until('it fails', async () => (await deliveries(job))[0]?.state === 'failing', 60_000);
  await until('it is missed', async () => (await catalogue.find(job.assetId))?.deadlineState === 'missed', 30_000);
  expect(await catalogue.find(job.assetId)).toMatchObject({ state: 'ready', generation: 1 });
  expect(await deliveries(job)).toMatchObject([
    { target: 'told', error: expect.stringContaining('The answer was 503.') },
  ]);
  refuses = false;
  expect(await handle.result()).toMatchObject({ state: 'ready' });
  expect(await deliveries(job)).toMatchObject([{ state: 'delivered', error: null }]);
  // Every attempt says the same, so that a receiver can drop what it knows.
  expect(new Set(receiver.to('/told').map(({ headers }) => headers['webhook-id'])).size).toBe(1);
});

test('a publisher that is killed in the middle of a delivery is taken over from', async () => {
  const first = await startPublisher();
  receiver.answer = ({ url }) => (url === '/told' && publishers.length === 1 ? 'hold' : 204);
  const { job, handle } = await submit('told', new Date(Date.now() + 60_000));
  await until('it is being delivered', () => receiver.to('/told').length === 1, 60_000);
  await startPublisher();
  first.kill('SIGKILL');
  expect(await handle.result()).toMatchObject({ state: 'ready' });
  expect(await deliveries(job)).toMatchObject([{ state: 'delivered', failures: 0 }]);
  expect(receiver.to('/told')).toHaveLength(2);
  expect(await catalogue.find(job.assetId)).toMatchObject({ deadlineState: 'met' });
});

test('a drain hands back what waits for a publisher', async () => {
  const first = await startPublisher();
  receiver.answer = ({ url }) => (url === '/start' && publishers.length === 1 ? 'hold' : 204);
  const { job, handle } = await submit('slow');
  await until('a publisher is started for it', () => receiver.to('/start').length === 1, 60_000);
  await startPublisher();
  first.kill('SIGTERM');
  expect(await first.exited).toBe(0);
  expect(await handle.result()).toMatchObject({ state: 'ready' });
  expect(await deliveries(job)).toMatchObject([{ target: 'slow', state: 'delivered', failures: 0 }]);
  expect(receiver.to('/slow')).toHaveLength(1);
});

const caller = (tenant: string): ReturnType<TestApi['as']> => api.as(tenant);

async function events({ assetId }: Job): Promise<CloudEvent<Delivered>[]> {
  const records = await admin.readAll(config.kafka.resultsTopic);
  const all = records.map(({ value }) => JSON.parse(String(value)) as CloudEvent<Delivered>);
  return all.filter(({ type, subject }) => type === RESULT_TYPES.delivery && subject === assetId);
}

const deliveries = ({ assetId, generation }: Job): Promise<Delivery[]> => findDeliveries(db, { assetId, generation });

async function submit(profile: string, publishBy?: Date): Promise<{ job: Job; handle: WorkflowHandle }> {
  const bytes = await sharp({ create: { width: 60, height: 40, channels: 3, background: '#357' } })
    .jpeg()
    .toBuffer();
  const bucket = config.storage.uploadsBucket;
  const key = `${profile}-${Math.random().toString(36).slice(2)}.jpg`;
  await store.putBytes(bucket, key, bytes, { contentType: 'image/jpeg' });
  const { etag, versionId } = await store.stat(bucket, key);
  const job = jobOf(
    { bucket, key, etag, versionId, size: bytes.length },
    { profile, publishBy: publishBy?.toISOString() },
  );
  const handle = await temporal.temporal.workflow.start('processImage', {
    taskQueue: config.queues.media,
    workflowId: job.workflowId,
    args: [job, config.queues],
  });
  return { job, handle };
}

/** Key -> etag, sorted, without plans. */
async function contents(bucket: string, prefix: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { key, etag } of store.list(bucket, prefix)) found.set(key, etag);
  return found;
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Recorder {
  readonly url: string;
  readonly requests: Request[];
  to(url: string): Request[];
  /** A status, or no answer until the test is over. */
  answer: (request: Request) => number | 'hold';
  close(): Promise<void>;
}

async function record(): Promise<Recorder> {
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of incoming.setEncoding('utf8')) body += chunk as string;
    const { method = '', url = '', headers } = incoming;
    const request = { method, url, headers, body };
    recorder.requests.push(request);
    const status = recorder.answer(request);
    if (status !== 'hold') response.writeHead(status).end();
  };
  const server: Server = createServer((incoming, response) => void handle(incoming, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const recorder: Recorder = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    to: (path) => recorder.requests.filter(({ url }) => url === path),
    answer: () => 204,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return recorder;
}
