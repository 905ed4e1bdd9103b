import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Upload } from 'tus-js-client';

import { countOutbox } from '../../src/catalogue/outbox.js';
import { closeUpload } from '../../src/catalogue/uploads.js';
import type { Config } from '../../src/config/schema.js';
import { openApi, type Client, type TestApi } from '../support/api.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';

const stack = useStack();
let config: Config;
let api: TestApi;
/** Another instance on the same servers. */
let other: TestApi;
let anna: Client;

beforeAll(async () => {
  config = await stack.isolated({ database: true, overrides: { limits: { maxUploadMiB: 32, maxImageMiB: 32 } } });
  api = await openApi(config);
  other = await openApi(config);
  anna = await api.as('anna');
}, 60_000);
afterAll(async () => {
  await api?.close();
  await other?.close();
}, 30_000);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const encode = (metadata: Record<string, string>): string =>
  Object.entries(metadata)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',');

const tus = (method: string, path: string, headers: Record<string, string> = {}, body?: Uint8Array, by = anna) =>
  by.request(path, { method, headers: { 'tus-resumable': '1.0.0', ...headers }, body });

async function create(size: number, metadata: Record<string, string> = {}): Promise<string> {
  const response = await tus('POST', '/v1/uploads', {
    'upload-length': String(size),
    'upload-metadata': encode({ filename: 'film.mp4', ...metadata }),
  });
  expect(response.status).toBe(201);
  expect(response.headers.get('upload-expires')).toBeTruthy();
  return response.headers.get('location')!;
}

const patch = (path: string, offset: number, body: Uint8Array, by = anna) =>
  tus('PATCH', path, { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' }, body, by);

const offsetOf = async (path: string): Promise<number> =>
  Number((await tus('HEAD', path)).headers.get('upload-offset'));

async function keysOf(bucket: string, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of api.ctx.store.list(bucket, prefix)) keys.push(key);
  return keys;
}

/** The bytes of the asset that came of an upload. */
async function arrived(path: string): Promise<{ bytes: Buffer; id: string }> {
  const id = (await tus('HEAD', path)).headers.get('mediamill-asset-id')!;
  const row = (await api.ctx.catalogue.find(id))!;
  expect(row.state).toBe('received');
  expect(await keysOf(config.storage.stagingBucket, `tus/${path.split('/').at(-1)!}/`)).toEqual([]);
  return { bytes: await api.ctx.store.read(row.bucket, row.key), id };
}

test('tus-js-client: a file in chunks of any size, with what is said of it', async () => {
  const bytes = randomBytes(11_000_000);
  const events = (await countOutbox(api.ctx.db)).upload ?? 0;
  const url = await new Promise<string>((resolve, reject) => {
    const upload = new Upload(bytes, {
      endpoint: `${api.url}/v1/uploads`,
      headers: { authorization: `Bearer ${anna.key}` },
      metadata: { filename: 'Süden.mp4', filetype: 'video/mp4', title: 'South', tags: 'a, b', sha256: sha256(bytes) },
      chunkSize: 1_500_000,
      retryDelays: null,
      onError: reject,
      onSuccess: () => resolve(upload.url!),
    });
    upload.start();
  });
  const { bytes: stored, id } = await arrived(new URL(url).pathname);
  expect(stored.equals(bytes)).toBe(true);
  expect(await (await anna.get(`/v1/assets/${id}`)).json()).toMatchObject({
    ...{ title: 'South', tags: ['a', 'b'], fileName: 'Süden.mp4', contentType: 'video/mp4', sha256: sha256(bytes) },
  });
  expect((await countOutbox(api.ctx.db)).upload).toBe(events + 1);
}, 60_000);

test('tus-js-client behind something that lets only GET and POST through', async () => {
  const bytes = randomBytes(300_000);
  const methods: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    const upload = new Upload(bytes, {
      endpoint: `${api.url}/v1/uploads`,
      headers: { authorization: `Bearer ${anna.key}` },
      metadata: { filename: 'film.mp4' },
      chunkSize: 100_000,
      overridePatchMethod: true,
      retryDelays: null,
      onBeforeRequest: (request) => void methods.push(request.getMethod()),
      onError: reject,
      onSuccess: () => resolve(upload.url!),
    });
    upload.start();
  });
  expect(methods).toEqual(['POST', 'POST', 'POST', 'POST']);
  const { bytes: stored } = await arrived(new URL(url).pathname);
  expect(stored.equals(bytes)).toBe(true);

  const other = new URL(await create(10), api.url).pathname;
  expect((await tus('POST', other, { 'x-http-method-override': 'DELETE' })).status).toBe(204);
  expect((await tus('HEAD', other)).status).toBe(410);
  // Nowhere else.
  const asset = `/v1/assets/${'0'.repeat(24)}`;
  expect((await anna.request(asset, { method: 'POST', headers: { 'x-http-method-override': 'DELETE' } })).status).toBe(
    405,
  );
});

test('creation with the whole upload, and what the server can', async () => {
  const options = await fetch(`${api.url}/v1/uploads`, {
    method: 'OPTIONS',
    headers: { authorization: `Bearer ${anna.key}` },
  });
  expect(options.headers.get('tus-extension')).toBe('creation,creation-with-upload,expiration,termination');
  expect(options.headers.get('tus-max-size')).toBe(String(32 * 1024 * 1024));
  const bytes = randomBytes(1000);
  const response = await tus(
    'POST',
    '/v1/uploads',
    {
      'upload-length': '1000',
      'content-type': 'application/offset+octet-stream',
    },
    bytes,
  );
  expect([response.status, response.headers.get('upload-offset')]).toEqual([201, '1000']);
  expect(response.headers.get('mediamill-asset-id')).toMatch(/^[0-9a-f]{24}$/);
  expect((await arrived(response.headers.get('location')!)).bytes.equals(bytes)).toBe(true);
});

test('a sender that breaks off: what came is kept, and another instance goes on', async () => {
  const bytes = randomBytes(9_000_000);
  const path = await create(bytes.length, { sha256: sha256(bytes) });
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    [
      `PATCH ${path} HTTP/1.1`,
      ...['host: x', `authorization: Bearer ${anna.key}`, 'tus-resumable: 1.0.0', 'upload-offset: 0'],
      ...['content-type: application/offset+octet-stream', `content-length: ${bytes.length}`, '', ''],
    ].join('\r\n'),
  );
  socket.write(bytes.subarray(0, 8_700_000), () => socket.destroy());
  await once(socket, 'close');
  await until('it is stored', async () => (await offsetOf(path)) > 8 * 1024 * 1024, 20_000);
  const offset = await offsetOf(path);
  const twin = {
    ...anna,
    request: (p: string, init?: RequestInit) =>
      fetch(other.url + p, { ...init, headers: { ...(init?.headers as object), authorization: `Bearer ${anna.key}` } }),
  };
  expect((await patch(path, offset, bytes.subarray(offset), twin)).status).toBe(204);
  expect((await arrived(path)).bytes.equals(bytes)).toBe(true);
}, 60_000);

test('offsets that lie, bytes beyond the end, lengths beyond the limit', async () => {
  const path = await create(1000);
  expect((await patch(path, 0, randomBytes(400))).status).toBe(204);
  expect((await patch(path, 0, randomBytes(400))).status).toBe(409);
  expect((await patch(path, 500, randomBytes(400))).status).toBe(409);
  expect((await patch(path, -1, randomBytes(400))).status).toBe(400);
  expect((await patch(path, 400, randomBytes(700))).status).toBe(413);
  expect(await offsetOf(path)).toBe(400);
  expect((await tus('POST', '/v1/uploads', { 'upload-length': String(33 * 1024 * 1024) })).status).toBe(413);
  for (const length of ['-1', 'x', '0', '1e3']) {
    expect((await tus('POST', '/v1/uploads', { 'upload-length': length })).status).toBe(400);
  }
  expect((await tus('POST', '/v1/uploads', { 'upload-length': '5', 'upload-metadata': 'a b c' })).status).toBe(400);
  expect(
    (await tus('POST', '/v1/uploads', { 'upload-length': '5', 'upload-metadata': encode({ priority: '9' }) })).status,
  ).toBe(400);
});

test('requests that are not of the protocol: what it says, as a problem', async () => {
  const path = await create(1000);
  const problemOf = async (response: Response): Promise<string> => {
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(response.headers.get('tus-resumable')).toBe('1.0.0');
    const { type, status } = (await response.json()) as { type: string; status: number };
    expect(status).toBe(response.status);
    return `${status} ${type.split(':').at(-1)}`;
  };
  const type = 'application/offset+octet-stream';
  for (const version of ['0.2.2', '2.0.0', '']) {
    const refused = await tus('POST', '/v1/uploads', { 'tus-resumable': version, 'upload-length': '5' });
    expect(refused.headers.get('tus-version')).toBe('1.0.0');
    expect(await problemOf(refused)).toBe('412 tus-version');
  }
  const bare = await anna.request(path, { method: 'DELETE' });
  expect(await problemOf(bare)).toBe('412 tus-version');
  const body = randomBytes(10);
  const others: Record<string, string>[] = [{}, { 'content-type': 'video/mp4' }];
  for (const headers of others)
    expect(await problemOf(await tus('PATCH', path, { 'upload-offset': '0', ...headers }, body))).toBe(
      '415 unsupported-media-type',
    );
  expect(await problemOf(await tus('PATCH', path, { 'content-type': type }, body))).toBe('400 invalid-request');
  const foreign: Record<string, string>[] = [
    { 'upload-defer-length': '1' },
    { 'upload-concat': 'partial', 'upload-length': '5' },
    {},
  ];
  for (const headers of foreign)
    expect(await problemOf(await tus('POST', '/v1/uploads', headers))).toBe('400 invalid-request');
  expect(await problemOf(await patch(path, 7, body))).toBe('409 conflict');
  expect(await problemOf(await patch(path, 0, randomBytes(1001)))).toBe('413 too-large');
  expect(await problemOf(await patch('/v1/uploads/' + 'x'.repeat(24), 0, body))).toBe('404 upload-unknown');
  expect((await tus('DELETE', path)).status).toBe(204);
  expect(await problemOf(await patch(path, 0, body))).toBe('410 upload-expired');
  const put = await anna.request(path, { method: 'PUT' });
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, OPTIONS, HEAD, PATCH, DELETE']);
});

test('GET shows those who do not speak tus how far it is, and nobody else', async () => {
  const shown = async (path: string, by = anna): Promise<unknown> => (await by.get(path)).json();
  const bytes = randomBytes(1000);
  const path = await create(bytes.length, { sha256: sha256(bytes) });
  const id = path.split('/').at(-1)!;
  const expiresAt = expect.stringMatching(/^\d{4}-.*Z$/);
  const open = { id, state: 'open', size: 1000, offset: 0, expiresAt };
  expect(await shown(path)).toEqual(open);
  await patch(path, 0, bytes.subarray(0, 300));
  expect(await shown(path)).toEqual({ ...open, offset: 300 });
  expect((await (await api.as('bert')).get(path)).status).toBe(404);
  expect((await fetch(api.url + path)).status).toBe(401);
  const last = await patch(path, 300, bytes.subarray(300));
  const assetId = last.headers.get('mediamill-asset-id');
  expect(await shown(path)).toEqual({ ...open, state: 'complete', offset: 1000, assetId });

  const lie = await create(1000, { sha256: '0'.repeat(64) });
  expect((await patch(lie, 0, bytes)).status).toBe(422);
  expect(await shown(lie)).toMatchObject({
    ...{ state: 'failed', offset: 1000 },
    error: { type: 'urn:mediamill:problem:checksum-mismatch', detail: expect.stringContaining(sha256(bytes)) },
  });
  const given = await create(1000);
  await tus('DELETE', given);
  expect(await shown(given)).toMatchObject({ state: 'cancelled', offset: 0 });
});

test('other bytes than announced: refused at the end, nothing appears, the upload is gone', async () => {
  const bytes = randomBytes(9_000_000);
  const path = await create(bytes.length, { sha256: '0'.repeat(64) });
  const response = await patch(path, 0, bytes);
  expect(response.status).toBe(422);
  expect((await tus('HEAD', path)).status).toBe(410);
  const id = path.split('/').at(-1)!;
  const { uploadsBucket, stagingBucket } = config.storage;
  expect(await keysOf(uploadsBucket, `api/anna/${id}`)).toEqual([]);
  expect(await keysOf(stagingBucket, `tus/${id}/`)).toEqual([]);
}, 30_000);

test('termination: an unfinished upload leaves nothing; a finished one is an asset', async () => {
  const path = await create(1000);
  await patch(path, 0, randomBytes(10));
  expect((await tus('DELETE', path)).status).toBe(204);
  expect((await tus('HEAD', path)).status).toBe(410);
  expect((await patch(path, 10, randomBytes(10))).status).toBe(410);
  expect(await keysOf(config.storage.stagingBucket, `tus/${path.split('/').at(-1)!}/`)).toEqual([]);
  const done = await create(10);
  await patch(done, 0, randomBytes(10));
  expect((await tus('DELETE', done)).status).toBe(400);
});

test('an expired upload is gone; of other tenants, and with hostile ids, there is none', async () => {
  const path = await create(1000);
  await closeUpload(api.ctx.db, path.split('/').at(-1)!, 'expired');
  expect((await tus('HEAD', path)).status).toBe(410);
  const mine = await create(1000);
  const bert = await api.as('bert');
  for (const method of ['HEAD', 'DELETE']) expect((await tus(method, mine, {}, undefined, bert)).status).toBe(404);
  expect((await patch(mine, 0, randomBytes(10), bert)).status).toBe(404);
  for (const id of ['..%2F..%2Fetc', '%00', "x' or 1=1 --", 'a%5Cb', 'x'.repeat(300)]) {
    expect([400, 404]).toContain((await tus('HEAD', `/v1/uploads/${id}`)).status);
  }
  expect(await offsetOf(mine)).toBe(0);
});

test('two clients on one upload: one writes at a time, and no byte is lost or doubled', async () => {
  const bytes = randomBytes(4_000_000);
  const path = await create(bytes.length, { sha256: sha256(bytes) });
  const push = async (base: string): Promise<void> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const headers = { authorization: `Bearer ${anna.key}`, 'tus-resumable': '1.0.0' };
      const head = await fetch(base + path, { method: 'HEAD', headers });
      const offset = Number(head.headers.get('upload-offset'));
      if (head.ok && offset === bytes.length) return;
      const body = bytes.subarray(offset, offset + 300_000);
      const more = { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' };
      const response = await fetch(base + path, { method: 'PATCH', headers: { ...headers, ...more }, body });
      expect([204, 409, 423]).toContain(response.status);
    }
    throw new Error('it never ended');
  };
  await Promise.all([push(api.url), push(other.url)]);
  expect((await arrived(path)).bytes.equals(bytes)).toBe(true);
}, 60_000);

test('a writer that is stuck lets go when somebody asks how far it is', async () => {
  const path = await create(1_000_000);
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    [
      `PATCH ${path} HTTP/1.1`,
      ...['host: x', `authorization: Bearer ${anna.key}`, 'tus-resumable: 1.0.0', 'upload-offset: 0'],
      ...['content-type: application/offset+octet-stream', 'content-length: 1000000', '', ''],
    ].join('\r\n'),
  );
  socket.write(randomBytes(1234));
  await sleep(500);
  const head = await fetch(other.url + path, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${anna.key}`, 'tus-resumable': '1.0.0' },
  });
  expect([head.status, head.headers.get('upload-offset')]).toEqual([200, '1234']);
  socket.destroy();
}, 30_000);
