/** What clients of the old image service meet, on a real store and catalogue. Nobody processes here: this test does. */
import { randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { once } from 'node:events';
import { jest } from '@jest/globals';

import type { AssetDocument } from '../../src/contracts/assets.js';
import type { Config } from '../../src/config/schema.js';
import { outputPrefix } from '../../src/contracts/assets.js';
import { openApi, problemOf, type Client, type TestApi } from '../support/api.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';

jest.setTimeout(60_000);
const stack = useStack();
let config: Config;
let api: TestApi;
let acme: Client;
let other: Client;

beforeAll(async () => {
  config = await stack.isolated({ database: true });
  api = await openApi(config, { limits: { maxImageMiB: 1 } });
  acme = await api.as('acme');
  other = await api.as('other');
});

afterAll(() => api.close());

interface Image {
  media_id: string;
  state: string;
  message: string;
  code: string;
  service: string;
  media_type: string;
}

const post = (body: string, client = acme, type = 'image/jpeg'): Promise<Response> =>
  client.request('/images', { method: 'POST', body, headers: { 'content-type': type } });

async function posted(bytes: Buffer, client = acme): Promise<string> {
  const response = await post(bytes.toString('base64'), client);
  expect(response.status).toBe(202);
  const body = (await response.json()) as { media_id: string };
  expect(Object.keys(body)).toEqual(['media_id']);
  expect(response.headers.get('location')).toBe(`/images/${body.media_id}`);
  return body.media_id;
}

const read = async (id: string, client = acme): Promise<Image> => {
  const response = await client.get(`/images/${id}`);
  expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
  return (await response.json()) as Image;
};

async function objectsOf(bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of api.ctx.store.list(bucket, '')) keys.push(key);
  return keys;
}

/** As its workflow would. */
async function finish(id: string, thumbnail: Buffer): Promise<void> {
  const { job } = (await api.ctx.catalogue.find(id))!;
  const key = `${outputPrefix(id, 1)}images/thumb.jpg`;
  await api.ctx.store.putBytes(config.storage.mediaBucket, key, thumbnail, { contentType: 'image/jpeg' });
  const document = { id, renditions: [] } as unknown as AssetDocument;
  await api.ctx.catalogue.publish(job!, { to: 'ready', by: 'test', kind: 'image', document });
}

it('takes base64, and keeps the bytes that it stands for', async () => {
  const bytes = randomBytes(100_001);
  const id = await posted(bytes);
  const row = (await api.ctx.catalogue.find(id))!;
  expect([row.tenant, row.state, row.kind, row.bytes, row.contentType]).toEqual([
    'acme',
    'received',
    'image',
    bytes.length,
    'image/jpeg',
  ]);
  expect((await api.ctx.store.read(row.bucket, row.key)).equals(bytes)).toBe(true);
  // As `base64` and Python write it.
  const lines = bytes.toString('base64').replace(/.{76}/g, '$&\r\n');
  const again = (await (await post(`${lines}\n`)).json()) as { media_id: string };
  expect((await api.ctx.catalogue.find(again.media_id))!.sourceSha256).toBe(row.sourceSha256);
});

it('says how far an image is, from the first moment on', async () => {
  const id = await posted(randomBytes(1_000));
  const common = { media_id: id, service: 'mediamill', media_type: 'image/jpeg' };
  expect(await read(id)).toEqual({
    ...common,
    state: 'Processing',
    message: 'The image is being processed.',
    code: '',
  });
  const early = await acme.get(`/images/${id}/thumbnail`);
  expect(early.headers.get('retry-after')).toBe('1');
  expect(await problemOf(early)).toBe('409 conflict');
  const thumbnail = randomBytes(500);
  await finish(id, thumbnail);
  expect(await read(id)).toEqual({ ...common, state: 'Completed', message: 'The thumbnail is ready.', code: '' });
  const response = await acme.get(`/images/${id}/thumbnail`);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
  expect(await response.text()).toBe(thumbnail.toString('base64'));
});

it('says why nothing came of one', async () => {
  const id = await posted(randomBytes(1_000));
  const { job } = (await api.ctx.catalogue.find(id))!;
  const error = { code: 'DAMAGED_FILE', message: 'The file is damaged and can not be decoded.' } as const;
  await api.ctx.catalogue.transition(job!, { to: 'failed', by: 'test', error });
  expect(await read(id)).toMatchObject({ state: 'Error', ...error });
  expect(await problemOf(await acme.get(`/images/${id}/thumbnail`))).toBe('410 asset-failed');
});

it('lists images, newest first, in pages', async () => {
  const lister = await api.as('lister');
  const ids: string[] = [];
  for (let i = 0; i < 5; i += 1) ids.unshift(await posted(randomBytes(100), lister));
  const found: string[] = [];
  let path: string | undefined = '/images?limit=2';
  while (path !== undefined) {
    const response = await lister.get(path);
    const images = (await response.json()) as Image[];
    expect(images.length).toBeLessThanOrEqual(2);
    found.push(...images.map(({ media_id }) => media_id));
    path = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
  }
  expect(found).toEqual(ids);
  expect(((await (await lister.get('/images')).json()) as Image[]).map(({ state }) => state)).toEqual(
    Array(5).fill('Processing'),
  );
  for (const query of ['limit=0', 'limit=x', 'cursor=x', 'limit=1000', 'page=2'])
    expect(await problemOf(await lister.get(`/images?${query}`))).toBe('400 invalid-request');
});

it('deletes', async () => {
  const id = await posted(randomBytes(1_000));
  await finish(id, randomBytes(10));
  const response = await acme.send('DELETE', `/images/${id}`);
  expect([response.status, await response.text()]).toEqual([204, '']);
  expect((await api.ctx.catalogue.find(id))!.state).toBe('deleted');
  for (const path of [`/images/${id}`, `/images/${id}/thumbnail`])
    expect(await problemOf(await acme.get(path))).toBe('404 asset-unknown');
  expect(await problemOf(await acme.send('DELETE', `/images/${id}`))).toBe('404 asset-unknown');
  expect(((await (await acme.get('/images')).json()) as Image[]).some(({ media_id }) => media_id === id)).toBe(false);
});

it('shows nobody what another tenant has, nor what is no image', async () => {
  const id = await posted(randomBytes(1_000));
  const video = (await api.ctx.catalogue.find(id))!.job!;
  const source = { ...video.source, key: 'film.mp4', contentType: 'video/mp4' };
  const job = { ...video, source, assetId: 'f'.repeat(24), workflowId: 'w' };
  await api.ctx.catalogue.transition(job, { to: 'processing', by: 'test', kind: 'video' });
  for (const [client, at] of [
    [other, id],
    [acme, job.assetId],
    [acme, '0'.repeat(24)],
  ] as const)
    // prettier-ignore
    for (const answer of [
      await client.get(`/images/${at}`),
      await client.get(`/images/${at}/thumbnail`),
      await client.send('DELETE', `/images/${at}`),
    ])
      expect(await problemOf(answer)).toBe('404 asset-unknown');
  expect(await (await other.get('/images')).json()).toEqual([]);
  expect((await fetch(`${api.url}/images`)).status).toBe(401);
  const reader = await api.as('acme', { scopes: ['read'] });
  expect(await problemOf(await post('AAAA', reader))).toBe('403 forbidden');
  for (const bad of ['1', 'x'.repeat(24), "'; drop table assets; --", '..%2f..'])
    expect([400, 404]).toContain((await acme.get(`/images/${bad}`)).status);
});

describe('what it does not take', () => {
  /** Nothing of it is kept. */
  async function refused(ask: () => Promise<Response>, expected: string): Promise<void> {
    const before = await objectsOf(config.storage.uploadsBucket);
    expect(await problemOf(await ask())).toBe(expected);
    expect(await objectsOf(config.storage.uploadsBucket)).toEqual(before);
    const open = await api.ctx.db.selectFrom('uploads').select('id').where('state', '=', 'open').execute();
    expect(open).toEqual([]);
  }

  it.each([
    ['no base64', 'hello, world!'],
    ['bytes as they are', '\xff\xd8\xff\xe0'],
    ['base64 that is cut off', 'AAAAA'],
    ['base64 that goes wrong late', `${'AAAA'.repeat(50_000)}?`],
    ['a URL of data', 'data:image/png;base64,AAAA'],
    ['nothing', ''],
    ['spaces', ' \r\n '],
  ])('%s', async (_, body) => refused(() => post(body), '400 invalid-request'));

  it('more than is allowed', async () => {
    await refused(() => post(randomBytes(1024 ** 2 + 1).toString('base64')), '413 too-large');
  });

  it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'imagex/png'])('%s', async (type) => {
    await refused(() => post('AAAA', acme, type), '415 unsupported-media-type');
  });

  it('a body that ends before its time', async () => {
    await refused(async () => {
      const { hostname, port } = new URL(api.url);
      const socket = connectTcp(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(
        `POST /images HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${acme.key}\r\n` +
          `Content-Type: image/png\r\nContent-Length: 4000\r\n\r\n${'AAAA'.repeat(100)}`,
      );
      const isOpen = async () =>
        (await api.ctx.db.selectFrom('uploads').select('id').where('state', '=', 'open').execute()).length > 0;
      await until('the upload has begun', isOpen, 20_000);
      socket.destroy();
      await until('the upload is given up', async () => !(await isOpen()), 20_000);
      return post('?');
    }, '400 invalid-request');
  });
});
