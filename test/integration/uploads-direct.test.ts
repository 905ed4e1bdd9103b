import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { Config } from '../../src/config/schema.js';
import { admitKnown } from '../../src/starters/kafka/known.js';
import { openApi, problemOf, type Client, type TestApi } from '../support/api.js';
import { useStack } from '../support/stack.js';

const run = promisify(execFile);
const stack = useStack();
let config: Config;
let api: TestApi;
let anna: Client;
let dir: string;

beforeAll(async () => {
  config = await stack.isolated({ database: true });
  api = await openApi(config);
  anna = await api.as('anna');
  dir = await mkdtemp(join(tmpdir(), 'mediamill-direct-'));
}, 60_000);
afterAll(async () => {
  await api?.close();
  if (dir) await rm(dir, { recursive: true });
}, 30_000);

interface Direct {
  readonly id: string;
  readonly state: string;
  readonly assetId?: string;
  readonly put?: { readonly url: string; readonly headers: Record<string, string> };
  readonly multipart?: { readonly partBytes: number; readonly parts: number; readonly uploaded: number[] };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const begin = async (body: object): Promise<Direct> => {
  const response = await anna.send('POST', '/v1/direct-uploads', body);
  expect(response.status).toBe(201);
  return (await response.json()) as Direct;
};
const complete = (id: string, by = anna) => by.send('POST', `/v1/direct-uploads/${id}/complete`);
const put = ({ put }: Direct, body: Uint8Array, headers: Record<string, string> = {}) =>
  fetch(put!.url, { method: 'PUT', body: body as never, headers: { ...put!.headers, ...headers } });

async function stored(assetId: string): Promise<Buffer> {
  const row = (await api.ctx.catalogue.find(assetId))!;
  return api.ctx.store.read(row.bucket, row.key);
}

test('curl sends a file to the store itself, and says that it is there', async () => {
  const bytes = randomBytes(300_000);
  const file = join(dir, 'film.mp4');
  await writeFile(file, bytes);
  const upload = await begin({
    method: 'put',
    size: bytes.length,
    contentType: 'video/mp4',
    title: 'Film',
    sha256: sha256(bytes),
  });
  expect(await problemOf(await complete(upload.id))).toBe('409 conflict');
  const headers = Object.entries(upload.put!.headers)
    .filter(([name]) => name !== 'content-length')
    .flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  await run('curl', ['--fail', '-sS', '-T', file, ...headers, upload.put!.url]);
  const done = await complete(upload.id);
  expect(done.status).toBe(201);
  const asset = (await done.json()) as { id: string };
  expect(asset).toMatchObject({ title: 'Film', sha256: sha256(bytes), contentType: 'video/mp4', state: 'received' });
  expect((await stored(asset.id)).equals(bytes)).toBe(true);
  // Again, the same answer.
  expect(await (await complete(upload.id)).json()).toMatchObject({ id: asset.id });
  // The URL was good for once.
  expect((await put(upload, bytes)).status).toBe(412);
});

test('the store takes no other bytes, lengths and types than were announced', async () => {
  const bytes = randomBytes(1000);
  const upload = await begin({ method: 'put', size: 1000, contentType: 'image/png', sha256: sha256(bytes) });
  expect((await put(upload, randomBytes(1000))).status).toBe(400);
  expect((await put(upload, bytes, { 'content-type': 'text/html' })).status).toBe(403);
  const { 'content-length': _, ...rest } = upload.put!.headers;
  const longer = await fetch(upload.put!.url, { method: 'PUT', body: randomBytes(2000) as never, headers: rest });
  expect(longer.status).toBe(403);
  expect((await put(upload, bytes)).status).toBe(200);
  expect((await complete(upload.id)).status).toBe(201);
});

test('the notification of the store ends an upload whose sender says nothing; others it leaves alone', async () => {
  const ports = { db: api.ctx.db, store: api.ctx.store, config };
  const bucket = config.storage.uploadsBucket;
  const upload = await begin({ method: 'put', size: 500, title: 'Quiet', priority: 1 });
  const key = `api/anna/${upload.id}`;
  expect(await admitKnown(ports, { bucket, key })).toMatchObject({ outcome: 'dropped' });
  expect((await put(upload, randomBytes(500))).status).toBe(200);
  // What an event says of such an object counts for nothing.
  const admission = await admitKnown(ports, { bucket, key, tenant: 'mallory', priority: 5, profile: 'other' });
  expect(admission).toMatchObject({ outcome: 'admitted', job: { tenant: 'anna', priority: 1, profile: 'default' } });
  const { assetId } = (await (await anna.get(`/v1/direct-uploads/${upload.id}`)).json()) as Direct;
  expect(await admitKnown(ports, { bucket, key })).toEqual(admission);
  expect((await api.ctx.catalogue.find(assetId!))!.title).toBe('Quiet');

  await api.ctx.store.putBytes(bucket, 'api/anna/nobodys', Buffer.from('x'), { contentType: 'image/png' });
  expect(await admitKnown(ports, { bucket, key: 'api/anna/nobodys' })).toMatchObject({ outcome: 'dropped' });
  const { job } = admission as { job: Parameters<typeof api.ctx.catalogue.transition>[0] };
  await api.ctx.catalogue.transition(job, { to: 'deleted', by: 'test' });
  expect(await admitKnown(ports, { bucket, key })).toEqual({ outcome: 'dropped', reason: 'the asset is deleted' });
});

test('in parts, by signed URLs: out of order, with a wrong one mended', async () => {
  const bytes = randomBytes(33 * 1024 * 1024);
  const upload = await begin({ method: 'multipart', size: bytes.length, sha256: sha256(bytes), fileName: 'a.mov' });
  const { partBytes, parts } = upload.multipart!;
  expect([partBytes, parts]).toEqual([16 * 1024 * 1024, 3]);
  const sign = async (numbers: number[]) => anna.send('POST', `/v1/direct-uploads/${upload.id}/parts`, { numbers });
  expect(await problemOf(await sign([4]))).toBe('400 invalid-request');
  const { parts: urls } = (await (await sign([1, 2, 3])).json()) as { parts: { number: number; url: string }[] };
  const send = async (number: number, body = bytes.subarray((number - 1) * partBytes, number * partBytes)) => {
    const { url } = urls.find((part) => part.number === number)!;
    expect((await fetch(url, { method: 'PUT', body })).status).toBe(200);
  };
  await send(3);
  await send(1, randomBytes(100));
  expect(await problemOf(await complete(upload.id))).toBe('409 conflict');
  await send(1);
  const state = (await (await anna.get(`/v1/direct-uploads/${upload.id}`)).json()) as Direct;
  expect(state.multipart!.uploaded).toEqual([1, 3]);
  expect(await problemOf(await complete(upload.id))).toBe('409 conflict');
  await send(2);
  const done = await complete(upload.id);
  expect(done.status).toBe(201);
  const asset = (await done.json()) as { id: string };
  expect(asset).toMatchObject({ fileName: 'a.mov', sha256: sha256(bytes), bytes: bytes.length });
  expect(sha256(await stored(asset.id))).toBe(sha256(bytes));
}, 60_000);

test('parts that are not what was announced: refused, and nothing stays', async () => {
  const upload = await begin({ method: 'multipart', size: 1000, sha256: '0'.repeat(64) });
  const response = await anna.send('POST', `/v1/direct-uploads/${upload.id}/parts`, { numbers: [1] });
  const { parts } = (await response.json()) as { parts: { url: string }[] };
  await fetch(parts[0]!.url, { method: 'PUT', body: randomBytes(1000) });
  expect(await problemOf(await complete(upload.id))).toBe('422 checksum-mismatch');
  expect(await problemOf(await complete(upload.id))).toBe('410 upload-expired');
  const there = api.ctx.store.stat(config.storage.uploadsBucket, `api/anna/${upload.id}`);
  await expect(there).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
});

test('given up: its URLs lead nowhere; of other tenants there is none', async () => {
  const upload = await begin({ method: 'multipart', size: 1000 });
  const bert = await api.as('bert');
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/complete'],
    ['DELETE', ''],
  ] as const) {
    const response = await bert.send(method, `/v1/direct-uploads/${upload.id}${path}`);
    expect(await problemOf(response)).toBe('404 upload-unknown');
  }
  const signed = await anna.send('POST', `/v1/direct-uploads/${upload.id}/parts`, { numbers: [1] });
  const { parts } = (await signed.json()) as { parts: { url: string }[] };
  expect((await anna.send('DELETE', `/v1/direct-uploads/${upload.id}`)).status).toBe(204);
  expect((await fetch(parts[0]!.url, { method: 'PUT', body: randomBytes(10) })).status).toBe(404);
  expect(await problemOf(await anna.send('DELETE', `/v1/direct-uploads/${upload.id}`))).toBe('410 upload-expired');
  expect(await problemOf(await anna.send('POST', '/v1/direct-uploads', { method: 'put', size: 6 * 1024 ** 3 }))).toBe(
    '413 too-large',
  );
});
