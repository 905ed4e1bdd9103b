import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { countOutbox } from '../../src/catalogue/outbox.js';
import type { Asset } from '../../src/api/assets/schemas.js';
import type { Config } from '../../src/config/schema.js';
import { openApi, problemOf, type Client, type TestApi } from '../support/api.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';

type Body = NonNullable<RequestInit['body']>;

const stack = useStack();
let config: Config;
let api: TestApi;
let anna: Client;

beforeAll(async () => {
  config = await stack.isolated({ database: true, overrides: { limits: { maxUploadMiB: 32, maxImageMiB: 32 } } });
  api = await openApi(config, { http: { slowUploadSeconds: 1 } });
  anna = await api.as('anna');
}, 60_000);
afterAll(() => api?.close(), 30_000);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const post = (body: Body, query: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  anna.request(`/v1/assets?${new URLSearchParams(query).toString()}`, {
    method: 'POST',
    body,
    headers,
    duplex: 'half',
  });

/** What there is of it: objects in the bucket, rows. */
async function standing() {
  const keys: string[] = [];
  for await (const { key } of api.ctx.store.list(config.storage.uploadsBucket, '')) keys.push(key);
  const { db } = api.ctx;
  const [uploads, assets] = await Promise.all([
    db.selectFrom('uploads').select(['id', 'state', 'key']).orderBy('created_at').execute(),
    db.selectFrom('assets').select('id').execute(),
  ]);
  return { keys, uploads, assets: assets.length, events: (await countOutbox(db)).upload ?? 0 };
}

/** Runs something that must leave nothing but the row of a failed upload, if that. */
async function leavesNothing(use: () => Promise<void>): Promise<void> {
  const before = await standing();
  await use();
  await until(
    'no upload is open',
    async () => (await standing()).uploads.every(({ state }) => state !== 'open'),
    20_000,
  );
  const after = await standing();
  expect({ ...after, uploads: 0 }).toEqual({ ...before, uploads: 0 });
  const others = after.uploads.slice(before.uploads.length);
  expect(others.every(({ state }) => state === 'failed')).toBe(true);
  for (const { key } of others) {
    await expect(api.ctx.store.stat(config.storage.uploadsBucket, key)).rejects.toMatchObject({
      code: 'OBJECT_MISSING',
    });
  }
}

test('a file as it is: stored unchanged, an asset with what was said of it, an event on its way', async () => {
  const bytes = randomBytes(100_000);
  const before = await standing();
  const response = await post(
    bytes,
    {
      title: 'Summer',
      tags: 'beach',
      profile: 'default',
      priority: '2',
      fileName: 'C:\\fotos\\..\\sea\u0007.jpg',
      metadata: '{"camera":"x100"}',
      sha256: sha256(bytes).toUpperCase(),
    },
    { 'content-type': 'image/jpeg; foo=bar' },
  );
  expect(response.status).toBe(201);
  const asset = (await response.json()) as Asset;
  expect(response.headers.get('location')).toBe(`/v1/assets/${asset.id}`);
  expect(response.headers.get('etag')).toBeTruthy();
  expect(asset).toMatchObject({
    ...{ state: 'received', title: 'Summer', tags: ['beach'], metadata: { camera: 'x100' }, priority: 2 },
    ...{ fileName: 'sea.jpg', bytes: 100_000, contentType: 'image/jpeg', sha256: sha256(bytes) },
  });
  const row = (await api.ctx.catalogue.find(asset.id))!;
  expect(row.key).toMatch(/^api\/anna\/[\w-]{24}$/);
  expect((await api.ctx.store.read(row.bucket, row.key)).equals(bytes)).toBe(true);
  expect(row.job).toMatchObject({ tenant: 'anna', generation: 1, source: { sha256: sha256(bytes), size: 100_000 } });
  expect((await api.ctx.catalogue.history(asset.id)).map(({ from, to, by }) => [from, to, by])).toEqual([
    [null, 'received', 'upload'],
  ]);
  expect((await standing()).events).toBe(before.events + 1);
});

test('20 MiB in parts, of unknown length', async () => {
  const bytes = randomBytes(20 * 1024 * 1024);
  const pieces = Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 300_001) yield bytes.subarray(at, at + 300_001);
    })(),
  );
  const response = await post(Readable.toWeb(pieces), { sha256: sha256(bytes) });
  expect(response.status).toBe(201);
  const { id } = (await response.json()) as Asset;
  const row = (await api.ctx.catalogue.find(id))!;
  expect(sha256(await api.ctx.store.read(row.bucket, row.key))).toBe(sha256(bytes));
}, 60_000);

test('a form: fields, then the file', async () => {
  const bytes = randomBytes(9 * 1024 * 1024);
  const form = new FormData();
  form.set('title', 'Grüße');
  form.append('tags', 'a');
  form.append('tags', 'b');
  form.set('metadata', '{"k":"v"}');
  form.set('priority', '1');
  form.set('file', new Blob([bytes], { type: 'video/mp4' }), 'Urlaub.mp4');
  const response = await post(form);
  expect(response.status).toBe(201);
  const asset = (await response.json()) as Asset;
  expect(asset).toMatchObject({
    ...{ title: 'Grüße', tags: ['a', 'b'], metadata: { k: 'v' }, priority: 1 },
    ...{ fileName: 'Urlaub.mp4', contentType: 'video/mp4', bytes: bytes.length, sha256: sha256(bytes) },
  });
}, 60_000);

test.each<[string, (form: FormData) => void]>([
  ['without a file', (form) => form.set('title', 'a')],
  ['with a field after the file', (form) => (form.set('file', new Blob(['x']), 'a'), form.set('title', 'a'))],
  ['with two files', (form) => (form.set('file', new Blob(['x']), 'a'), form.set('other', new Blob(['y']), 'b'))],
  ['with a field that there is not', (form) => (form.set('titel', 'a'), form.set('file', new Blob(['x']), 'a'))],
  ['with an empty file', (form) => form.set('file', new Blob([]), 'a')],
  ['with metadata that is no object', (form) => (form.set('metadata', '[1]'), form.set('file', new Blob(['x']), 'a'))],
  ['with a profile that there is not', (form) => (form.set('profile', 'nope'), form.set('file', new Blob(['x']), 'a'))],
])('a form %s is refused and leaves nothing', async (_case, fill) => {
  const form = new FormData();
  fill(form);
  await leavesNothing(async () => expect(await problemOf(await post(form))).toBe('400 invalid-request'));
});

test('what is not a form, or ends in its middle, is refused', () =>
  leavesNothing(async () => {
    const multipart = (body: string, type = 'multipart/form-data; boundary=x') =>
      post(body, {}, { 'content-type': type });
    const head = '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n';
    expect(await problemOf(await multipart(`${head}abc`))).toBe('400 invalid-request');
    expect(await problemOf(await multipart('abc'))).toBe('400 invalid-request');
    expect(await problemOf(await multipart('abc', 'multipart/form-data'))).toBe('400 invalid-request');
  }));

test(
  'other bytes than announced, none, and too many of them are refused and leave nothing',
  () =>
    leavesNothing(async () => {
      expect(await problemOf(await post('other', { sha256: sha256(Buffer.from('these')) }))).toBe(
        '422 checksum-mismatch',
      );
      const big = randomBytes(9 * 1024 * 1024);
      expect(await problemOf(await post(big, { sha256: '0'.repeat(64) }))).toBe('422 checksum-mismatch');
      expect(await problemOf(await post(''))).toBe('400 invalid-request');
      expect(await problemOf(await post(new Blob([randomBytes(33 * 1024 * 1024)])))).toBe('413 too-large');
      const endless = Readable.from(
        (function* () {
          for (let sent = 0; sent < 40; sent += 1) yield randomBytes(1024 * 1024);
        })(),
      );
      const response = await post(Readable.toWeb(endless));
      expect(await problemOf(response)).toBe('413 too-large');
    }),
  60_000,
);

test.each([
  [{ title: 'x'.repeat(501) }],
  [{ priority: '9' }],
  [{ publishBy: 'soon' }],
  [{ sha256: 'abc' }],
  [{ metadata: '{"a":' }],
  [{ profile: '../etc' }],
  [{ unknown: 'field' }],
])('%j is refused', (query: Record<string, string>) =>
  leavesNothing(async () => expect(await problemOf(await post('x', query))).toBe('400 invalid-request')),
);

/** A request by hand: what `fetch` would not send. */
async function rawPost(
  lines: readonly string[],
  body: (write: (text: string) => void) => Promise<void>,
): Promise<string> {
  const { port } = new URL(api.url);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  socket.on('error', () => undefined);
  const head = ['POST /v1/assets HTTP/1.1', 'host: x', `authorization: Bearer ${anna.key}`, ...lines];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await body((text) => void socket.write(text));
  socket.end();
  await Promise.race([once(socket, 'close'), sleep(5_000)]);
  socket.destroy();
  return answer;
}

test(
  'a sender that breaks off, and one that lies about the length, leave nothing',
  () =>
    leavesNothing(async () => {
      await rawPost(['content-length: 1000'], async (write) => write('only this'));
      await rawPost(['transfer-encoding: chunked'], async (write) => write('5\r\nhello\r\n'));
    }),
  30_000,
);

test(
  'a sender of one byte at a time is told that this is too slow',
  () =>
    leavesNothing(async () => {
      const answer = await rawPost(['content-length: 1000'], async (write) => {
        for (let sent = 0; sent < 30; sent += 1) {
          write('x');
          await sleep(100);
        }
      });
      expect(answer).toMatch(/^HTTP\/1.1 408 /);
      expect(answer).toContain('request-timeout');
    }),
  30_000,
);

test('an idempotency key: the same upload twice is one asset, other bytes are refused', async () => {
  const bytes = randomBytes(1000);
  const headers = { 'idempotency-key': randomBytes(8).toString('hex') };
  const first = await post(bytes, {}, headers);
  const again = await post(bytes, {}, headers);
  expect([first.status, again.status]).toEqual([201, 201]);
  expect(((await again.json()) as Asset).id).toBe(((await first.json()) as Asset).id);
  await leavesNothing(async () => {
    expect(await problemOf(await post(randomBytes(1000), {}, headers))).toBe('422 idempotency-mismatch');
  });
});

test('quotas of a key: bytes of a day, uploads at once; another key has its own', async () => {
  const bert = await api.as('bert', { limits: { bytesPerDay: 5000 } });
  const send = (client: Client, body: Body) => client.request('/v1/assets', { method: 'POST', body, duplex: 'half' });
  expect((await send(bert, randomBytes(3000))).status).toBe(201);
  const refused = await send(bert, randomBytes(3000));
  expect(refused.headers.get('retry-after')).toBe('3600');
  expect(await problemOf(refused)).toBe('429 quota-exceeded');
  // Of unknown length: as many as are left.
  const unknown = Readable.toWeb(Readable.from([randomBytes(1500), randomBytes(1500)])) as unknown as Body;
  expect(await problemOf(await send(bert, unknown))).toBe('429 quota-exceeded');
  expect((await send(bert, randomBytes(2000))).status).toBe(201);
  expect(await problemOf(await send(bert, 'x'))).toBe('429 quota-exceeded');
  expect((await send(await api.as('bert'), 'x')).status).toBe(201);

  const cora = await api.as('cora', { limits: { openUploads: 1 } });
  let go = (): void => undefined;
  const held = Readable.from(
    (async function* () {
      yield randomBytes(2000);
      await new Promise<void>((resolve) => (go = resolve));
    })(),
  );
  const slow = send(cora, Readable.toWeb(held));
  const open = () =>
    api.ctx.db.selectFrom('uploads').select('id').where('tenant', '=', 'cora').where('state', '=', 'open').execute();
  await until('its upload is open', async () => (await open()).length === 1, 10_000);
  expect(await problemOf(await send(cora, 'x'))).toBe('429 quota-exceeded');
  go();
  expect((await slow).status).toBe(201);
  expect((await send(cora, 'x')).status).toBe(201);
});

test('quotas of a key: minutes of a day, which pictures have none of', async () => {
  const dean = await api.as('dean', { limits: { minutesPerDay: 2 } });
  const send = (type: string) =>
    dean.request('/v1/assets', { method: 'POST', body: randomBytes(100), headers: { 'content-type': type } });
  const inspectedAs = async (seconds: number): Promise<void> => {
    const response = await send('video/mp4');
    expect(response.status).toBe(201);
    const { id } = (await response.json()) as Asset;
    await api.ctx.db.updateTable('assets').set({ duration: seconds }).where('id', '=', id).execute();
  };
  await inspectedAs(60);
  await inspectedAs(61);
  expect(await problemOf(await send('video/mp4'))).toBe('429 quota-exceeded');
  expect(await problemOf(await send('audio/mpeg'))).toBe('429 quota-exceeded');
  expect((await send('image/png')).status).toBe(201);
});

test('a key that may only read uploads nothing', async () => {
  const reader = await api.as('anna', { scopes: ['read'] });
  expect(await problemOf(await reader.request('/v1/assets', { method: 'POST', body: 'x' }))).toBe('403 forbidden');
});

test('with the store away: 503, and nothing is left open', async () => {
  const away = await openApi(config, { storage: { endpoint: 'http://127.0.0.1:9' } });
  try {
    const dora = await away.as('dora');
    const response = await dora.request('/v1/assets', { method: 'POST', body: 'x' });
    expect(await problemOf(response)).toBe('503 unavailable');
    const states = api.ctx.db.selectFrom('uploads').select('state').where('tenant', '=', 'dora').execute();
    expect(await states).toEqual([{ state: 'failed' }]);
  } finally {
    await away.close();
  }
});
