import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { Caller } from '../../src/api/caller.js';
import { fetchUpload } from '../../src/api/uploads/fetch.js';
import type { Config } from '../../src/config/schema.js';
import { openApi, problemOf, type TestApi } from '../support/api.js';
import { useStack } from '../support/stack.js';

const stack = useStack();
let config: Config;
let api: TestApi;
let other: Server;
let port: string;
const bytes = randomBytes(9_000_000);
const asked: string[] = [];
const caller: Caller = { tenant: 'anna', scopes: ['write'], limits: {} };

beforeAll(async () => {
  config = await stack.isolated({ database: true, overrides: { http: { fetchUrls: 'on' } } });
  api = await openApi(config, { http: { fetchUrls: 'on' } });
  other = createServer((request, response) => {
    asked.push(request.url!);
    if (request.url === '/moved') return void response.writeHead(302, { location: '/holiday%20film.mp4' }).end();
    response.setHeader('content-type', 'video/mp4');
    if (request.url === '/broken') {
      response.setHeader('content-length', bytes.length);
      response.write(bytes.subarray(0, 1_000_000), () => response.destroy());
      return;
    }
    response.end(bytes);
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  port = String((other.address() as AddressInfo).port);
}, 60_000);
afterAll(async () => {
  await api?.close();
  other?.closeAllConnections();
  other?.close();
}, 30_000);

/** Stands for the address of a public server. */
const lookup = ((_host: string, options: { all?: boolean }, done: (...args: unknown[]) => void) => {
  if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
}) as never;
const upload = (path: string) =>
  fetchUpload(api.ctx, caller, { kind: 'url' }, `http://example.org:${port}${path}`, {
    lookup,
    ports: new Set([port]),
  });

test('a file that lies elsewhere, behind a redirect', async () => {
  const { assetId, sha256 } = await upload('/moved');
  expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  const row = (await api.ctx.catalogue.find(assetId))!;
  expect(row).toMatchObject({ bytes: bytes.length, contentType: 'video/mp4', state: 'received' });
  expect((await api.ctx.store.read(row.bucket, row.key)).equals(bytes)).toBe(true);
}, 30_000);

test('a server that breaks off: nothing appears', async () => {
  const before = await api.ctx.db.selectFrom('assets').select('id').execute();
  await expect(upload('/broken')).rejects.toMatchObject({ problem: 'url-refused' });
  expect(await api.ctx.db.selectFrom('assets').select('id').execute()).toEqual(before);
  const open = api.ctx.db.selectFrom('uploads').select('id').where('state', '=', 'open').execute();
  expect(await open).toEqual([]);
});

test('over HTTP: loopback, private addresses and other schemes are refused, and nobody is connected to', async () => {
  const anna = await api.as('anna');
  const before = asked.length;
  for (const url of [
    `http://127.0.0.1:${port}/`,
    'http://localhost/',
    'http://169.254.169.254/',
    'file:///etc/passwd',
    'http://[::ffff:10.0.0.1]/',
  ]) {
    expect(await problemOf(await anna.send('POST', '/v1/assets', { source: { url } }))).toBe('422 url-refused');
  }
  for (const body of [{ source: {} }, { source: { url: 'http://example.org' }, other: 1 }, { url: 'x' }, []]) {
    expect(await problemOf(await anna.send('POST', '/v1/assets', body))).toBe('400 invalid-request');
  }
  expect(asked.length).toBe(before);
});

test('switched off, unless somebody switches it on', async () => {
  const off = await openApi(config, { http: { fetchUrls: 'off' } });
  const anna = await off.as('anna');
  const response = await anna.send('POST', '/v1/assets', { source: { url: 'https://example.org/a.mp4' } });
  expect(await problemOf(response)).toBe('422 url-refused');
  await off.close();
});
