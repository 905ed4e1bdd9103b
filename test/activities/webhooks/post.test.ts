import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { post } from '../../../src/activities/webhooks/post.js';

let server: Server;
let requests: string[];

beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === '/redirect') response.writeHead(302, { location: '/elsewhere' }).end();
    else if (request.url === '/later') response.writeHead(503, { 'retry-after': '120' }).end();
    else if (request.url === '/endless') {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(65_536)), 5);
      response.on('close', () => clearInterval(timer));
    } else if (request.url !== '/silent') response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const url = (path: string, host = '127.0.0.1', scheme = 'http'): URL =>
  new URL(`${scheme}://${host}:${(server.address() as AddressInfo).port}${path}`);
const signal = new AbortController().signal;
const toAnywhere = { allowPrivate: true, signal };
const toPublic = { allowPrivate: false, signal };

test('an answer of 2xx accepts it', async () => {
  expect(await post(url('/'), {}, '{}', toAnywhere)).toEqual({ status: 204, retryAfter: undefined });
});

test('a redirect is an answer, and is not followed', async () => {
  expect(await post(url('/redirect'), {}, '{}', toAnywhere)).toMatchObject({
    status: 302,
    error: 'The answer was 302.',
  });
  expect(requests).toEqual(['/redirect']);
});

test('a receiver says when to come again', async () => {
  expect(await post(url('/later'), {}, '{}', toAnywhere)).toMatchObject({ status: 503, retryAfter: 120 });
});

test('one that does not answer is given up', async () => {
  expect(await post(url('/silent'), {}, '{}', { ...toAnywhere, timeLimit: 200 })).toEqual({
    error: 'There was no answer within 0.2 s.',
  });
});

test('an answer without an end is not waited for', async () => {
  expect(await post(url('/endless'), {}, '{}', toAnywhere)).toMatchObject({ status: 200 });
});

test('a connection that is refused is said in a sentence', async () => {
  const gone = url('/');
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  expect(await post(gone, {}, '{}', toAnywhere)).toEqual({ error: 'It refused the connection.' });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

test.each([
  ['an address', '127.0.0.1'],
  ['a name of one', 'localhost'],
  ['an address in IPv6', '[::ffff:127.0.0.1]'],
  ['an address in another notation', '0x7f.1'],
])('%s that is not public is not spoken to', async (_what, host) => {
  expect(await post(url('/', host, 'https'), {}, '{}', toPublic)).toEqual({ error: 'Its address is not public.' });
  expect(requests).toEqual([]);
});

test('plain HTTP is for development alone', async () => {
  expect(await post(url('/'), {}, '{}', toPublic)).toEqual({ error: 'It is not HTTPS.' });
});

test('who is told to stop throws the reason', async () => {
  const abort = new AbortController();
  const sent = post(url('/silent'), {}, '{}', { allowPrivate: true, signal: abort.signal });
  const reason = new Error('stop');
  setTimeout(() => abort.abort(reason), 50);
  await expect(sent).rejects.toBe(reason);
});
