/** `mediamill/client` against the real thing, with everything that Temporal is given encrypted. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

import { RELAY_HANDLERS } from '../../src/api/relay/handlers.js';
import { startRelay, type Relay } from '../../src/api/relay/relay.js';
import type { Asset as SchemaAsset } from '../../src/api/assets/schemas.js';
import type { AssetList } from '../../src/api/assets/list-assets.js';
import {
  cancel,
  connectTemporal,
  HttpError,
  MediamillHttp,
  progress,
  result,
  setPriority,
  startImage,
  startVideo,
  type Asset,
  type AssetPage,
  type OpenClient,
  type Upload,
} from '../../src/client/index.js';
import type { Config } from '../../src/config/index.js';
import { merge } from '../../src/local/addresses.js';
import { makePhoto, makeVideo } from '../../src/local/samples.js';
import { createLogger } from '../../src/logging/index.js';
import { createProducer } from '../../src/messaging/kafka.js';
import { createObjectStore } from '../../src/storage/index.js';
import { openApi, type Client, type TestApi } from '../support/api.js';
import { until } from '../support/processes.js';
import { openReceiver, verify } from '../support/receiver.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const [older, newer] = [key('older'), key('newer')];

const stack = useStack();
let config: Config;
let dir: string;
let client: OpenClient;
const processes: OwnProcess[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-client-'));
  const overrides = {
    temporal: { encryptionKeys: `${newer},${older}` },
    scratch: { dir: join(dir, 'scratch') },
    webhooks: { allowPrivate: 'on' as const },
  };
  config = await stack.isolated({ database: true, overrides });
  client = await connectTemporal(config.temporal);
  processes.push(await startProcess('workers/all.js', config, 'worker ready'));
}, 180_000);

afterAll(async () => {
  for (const one of processes) one.kill('SIGTERM');
  await Promise.all(processes.map(({ exited }) => exited));
  await client?.close();
  await rm(dir, { recursive: true });
}, 60_000);

async function put(path: string, name: string, to: Config = config): Promise<Upload> {
  const store = createObjectStore(to.storage);
  const upload = { bucket: to.storage.uploadsBucket, key: `${randomUUID()}/${name}` };
  await store.putFile(upload.bucket, upload.key, path, { contentType: 'application/octet-stream' });
  const { etag, versionId } = await store.stat(upload.bucket, upload.key);
  return { ...upload, etag, versionId };
}

const photo = (): Promise<string> => makePhoto(join(dir, `${randomUUID()}.jpg`), 320, 240);

/** What Temporal itself holds of a workflow. */
async function history(workflowId: string): Promise<string> {
  return historyToJSON(await client.temporal.workflow.getHandle(workflowId).fetchHistory());
}

/** As it is, or within a payload. */
function shows(text: string, json: string): boolean {
  const payloads = [...json.matchAll(/"([A-Za-z0-9+/]{8,}={0,2})"/g)].map(([, base64]) =>
    Buffer.from(base64!, 'base64'),
  );
  return json.includes(text) || payloads.some((payload) => payload.includes(text));
}

describe('over Temporal', () => {
  test('an image is started, followed and waited for; started again it is the same job', async () => {
    const upload = await put(await photo(), 'picture.jpg');
    const options = { queues: config.queues, tenant: 'acme', metadata: { orderId: 'order-4711-of-a-customer' } };
    const job = await startImage(client.temporal, upload, options);
    expect(await result(client.temporal, job.workflowId)).toMatchObject({
      ...{ assetId: job.assetId, kind: 'image', state: 'ready' },
    });
    expect(await progress(client.temporal, job.workflowId)).toMatchObject({ state: 'ready', percent: 100 });
    expect(await startImage(client.temporal, upload, options)).toEqual(job);
    expect(await startVideo(client.temporal, upload, options)).toEqual(job);
    const runs = client.temporal.workflow.list({ query: `WorkflowId = '${job.workflowId}'` });
    let count = 0;
    for await (const _ of runs) count += 1;
    expect(count).toBe(1);
  }, 120_000);

  test('Temporal is shown neither the names of files nor what uploaders say of them', async () => {
    const upload = await put(
      await makeVideo(join(dir, 'v.mp4'), { seconds: 1, width: 160, height: 90 }),
      'premiere.mp4',
    );
    const metadata = { orderId: 'order-4711-of-a-customer' };
    const { workflowId } = await startVideo(client.temporal, upload, { queues: config.queues, metadata });
    await result(client.temporal, workflowId);
    const json = await history(workflowId);
    expect(json).toContain(Buffer.from('binary/encrypted').toString('base64'));
    for (const text of [upload.key, 'premiere.mp4', metadata.orderId])
      expect([text, shows(text, json)]).toEqual([text, false]);

    const stranger = await connectTemporal({ ...config.temporal, encryptionKeys: undefined });
    await expect(result(stranger.temporal, workflowId)).rejects.toThrow(/encoding|binary\/encrypted/i);
    await stranger.close();
  }, 120_000);

  test('whoever may ask the codec server sees it in the Web UI', async () => {
    const upload = await put(await photo(), 'backstage.jpg');
    const { workflowId } = await startImage(client.temporal, upload, { queues: config.queues });
    const { events } = await client.temporal.workflow.getHandle(workflowId).fetchHistory();
    const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
    const metadata = Object.fromEntries(Object.entries(payload!.metadata!).map(([name, one]) => [name, base64(one)]));

    const server = await startProcess('starters/codec/main.js', merge(config, { codec: { port: 0 } }), 'ready');
    processes.push(server);
    const port = /"port":(\d+)/.exec(server.log.find((line) => line.includes('codec server ready'))!)?.[1];
    const answer = await fetch(`http://127.0.0.1:${port}/decode`, {
      method: 'POST',
      headers: { origin: new URL(config.temporal.uiUrl).origin, 'x-namespace': config.temporal.namespace },
      body: JSON.stringify({ payloads: [{ metadata, data: base64(payload!.data!) }] }),
    });
    const { payloads } = (await answer.json()) as { payloads: { data: string }[] };
    expect(JSON.parse(Buffer.from(payloads[0]!.data, 'base64').toString())).toMatchObject({
      source: { key: upload.key },
    });
    server.kill('SIGTERM');
    expect(await server.exited).toBe(0);
    await result(client.temporal, workflowId);
  }, 120_000);

  test('a client that has only the old key, or none, still has its work done', async () => {
    for (const encryptionKeys of [older, undefined]) {
      const other = await connectTemporal({ ...config.temporal, encryptionKeys });
      const upload = await put(await photo(), 'picture.jpg');
      const { workflowId } = await startImage(other.temporal, upload, { queues: config.queues });
      expect(await result(client.temporal, workflowId)).toMatchObject({ state: 'ready' });
      expect(shows(upload.key, await history(workflowId))).toBe(encryptionKeys === undefined);
      await other.close();
    }
  }, 120_000);

  test('why nothing came of it is said by a code', async () => {
    const file = join(dir, 'note.txt');
    await writeFile(file, 'no picture at all');
    const { workflowId } = await startImage(client.temporal, await put(file, 'note.jpg'), { queues: config.queues });
    const failed = result(client.temporal, workflowId);
    await expect(failed).rejects.toMatchObject({ name: 'MediaError', code: 'UNSUPPORTED_TYPE' });
    await expect(failed).rejects.toThrow(/^This type of file can not be processed\./);
  }, 120_000);

  test('its priority can be changed while it waits, and it can be cancelled', async () => {
    // Nobody makes images on this queue.
    const queues = { ...config.queues, image: `nobody-${randomUUID()}` };
    const { workflowId } = await startImage(client.temporal, await put(await photo(), 'picture.jpg'), { queues });
    await setPriority(client.temporal, workflowId, 1);
    expect(await progress(client.temporal, workflowId)).toMatchObject({ priority: 1, state: 'processing' });
    await expect(setPriority(client.temporal, workflowId, 9 as 5)).rejects.toThrow();
    await cancel(client.temporal, workflowId);
    await expect(result(client.temporal, workflowId)).rejects.toMatchObject({ code: 'CANCELLED' });
    await cancel(client.temporal, workflowId).catch((error: Error) => expect(error.name).toMatch(/NotFound/));
  }, 120_000);
});

describe('over HTTP', () => {
  let api: TestApi;
  let relay: Relay;
  let closeProducer: () => Promise<void>;
  let owner: Client;
  let http: MediamillHttp;

  beforeAll(async () => {
    api = await openApi(config);
    const producer = await createProducer(config.kafka, createLogger({ ...config.log, level: 'error' }));
    closeProducer = () => producer.close();
    relay = startRelay({ ...api.ctx, producer }, RELAY_HANDLERS);
    processes.push(await startProcess('starters/kafka/main.js', config, 'starter ready'));
    owner = await api.as(`t-${randomUUID().slice(0, 8)}`);
    http = new MediamillHttp({ url: `${api.url}/`, key: owner.key });
  }, 120_000);

  afterAll(async () => {
    await relay?.close();
    await closeProducer?.();
    await api?.close();
  }, 60_000);

  test('its types are those of the API', () => {
    // Checked by tsc: what one has and the other has not does not compile.
    const asset: Asset = undefined as unknown as SchemaAsset;
    const page: AssetPage = undefined as unknown as AssetList;
    const required: Required<Asset> = undefined as unknown as {
      [K in keyof Required<SchemaAsset>]: Required<Asset>[K];
    };
    expect([asset, page, required]).toEqual([undefined, undefined, undefined]);
  });

  test('upload, follow, wait, list, change, remove', async () => {
    const file = await photo();
    const metadata = { orderId: '7' };
    const uploaded = await http.upload(new Blob([await readFile(file)], { type: 'image/jpeg' }), {
      ...{ fileName: 'holiday.jpg', title: 'At the sea', tags: ['summer'], metadata, priority: 2 },
    });
    expect(uploaded).toMatchObject({ state: 'received', title: 'At the sea', tags: ['summer'], metadata, priority: 2 });
    const ready = await http.wait(uploaded.id, AbortSignal.timeout(60_000));
    expect(ready).toMatchObject({ id: uploaded.id, kind: 'image', state: 'ready', fileName: 'holiday.jpg' });
    expect((await http.get(uploaded.id)).history?.map(({ to }) => to)).toEqual(['received', 'processing', 'ready']);

    await http.upload(new Uint8Array(await readFile(await photo())), { tags: ['summer', 'winter'] });
    expect((await http.list({ tags: ['summer'], limit: 1 })).items).toHaveLength(1);
    const found: string[] = [];
    for await (const { id } of http.all({ tags: ['summer'], limit: 1 })) found.push(id);
    expect(found).toHaveLength(2);
    expect((await http.list({ q: 'holiday', createdAfter: new Date(Date.now() - 600_000) })).items).toHaveLength(1);

    expect(await http.change(uploaded.id, { title: null, tags: [] })).toMatchObject({ tags: [] });
    expect((await http.setPriority(uploaded.id, 5)).priority).toBe(5);
    await http.remove(uploaded.id);
    await expect(http.get(uploaded.id)).rejects.toMatchObject({
      status: 410,
      type: 'urn:mediamill:problem:asset-deleted',
    });
  }, 120_000);

  test('a stream is sent as it comes, and its asset followed to the end', async () => {
    const file = await makeVideo(join(dir, 'long.mp4'), { seconds: 4, width: 320, height: 180 });
    const bytes = await readFile(file);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 65_536) controller.enqueue(bytes.subarray(at, at + 65_536));
        controller.close();
      },
    });
    const { id } = await http.upload(body, { contentType: 'video/mp4' });
    const seen: string[] = [];
    for await (const event of http.follow(id, AbortSignal.timeout(150_000)))
      seen.push(event.type === 'asset' ? event.asset.state : event.type);
    expect(seen[0]).toBe('received');
    expect(seen.at(-1)).toBe('ready');
    expect((await http.get(id)).playback.hls).toMatch(/master\.m3u8/);
  }, 180_000);

  test('a webhook hears of an upload from its arrival to its end, deletion included', async () => {
    const receiver = await openReceiver();
    try {
      const tenant = `t-${randomUUID().slice(0, 8)}`;
      const admin = await api.as(tenant, { scopes: ['admin'] });
      const made = await admin.send('POST', '/v1/webhooks', { url: receiver.url });
      const { secret } = (await made.json()) as { secret: string };
      const own = new MediamillHttp({ url: api.url, key: admin.key });
      const { id } = await own.upload(new Uint8Array(await readFile(await photo())), { metadata: { orderId: '7' } });
      await own.wait(id, AbortSignal.timeout(60_000));
      await own.remove(id);
      const received = [...(await receiver.until(4))].sort((a, b) =>
        a.event.timestamp.localeCompare(b.event.timestamp),
      );
      for (const one of received) expect(() => verify(secret, one)).not.toThrow();
      expect(received.map(({ event }) => event.type)).toEqual([
        ...['asset.received', 'asset.processing', 'asset.ready', 'asset.deleted'],
      ]);
      for (const { event } of received) expect(event.data).toMatchObject({ assetId: id, tenant, generation: 1 });
      expect(received[2]!.event.data).toMatchObject({ kind: 'image', metadata: { orderId: '7' } });
    } finally {
      await receiver.close();
    }
  }, 120_000);

  test('a wrong key, an unknown asset and a bad wish are errors with a type', async () => {
    const stranger = new MediamillHttp({ url: api.url, key: 'mm_nobody_nothing' });
    await expect(stranger.list()).rejects.toMatchObject({ status: 401, type: 'urn:mediamill:problem:unauthorized' });
    const missing = http.get('0'.repeat(24));
    await expect(missing).rejects.toBeInstanceOf(HttpError);
    await expect(http.get('0'.repeat(24))).rejects.toMatchObject({ type: 'urn:mediamill:problem:asset-unknown' });
    await expect(http.follow('0'.repeat(24)).next()).rejects.toMatchObject({ status: 404 });
    await expect(http.list({ limit: 1000 })).rejects.toMatchObject({ status: 400 });
  });

  test('an upload that is repeated under its key is one asset', async () => {
    const bytes = new Uint8Array(await readFile(await photo()));
    const options = { idempotencyKey: randomUUID(), fileName: 'once.jpg' };
    const first = await http.upload(bytes, options);
    expect((await http.upload(bytes, options)).id).toBe(first.id);
    await until('it is ready', async () => (await http.get(first.id)).state === 'ready', 60_000);
    expect((await http.list({ q: 'once' })).items).toHaveLength(1);
  }, 90_000);
});
