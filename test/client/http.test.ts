/** What the client makes of a line that breaks and of answers that are not ours: on a server that is told what to say. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { MediamillHttp, type AssetEvent } from '../../src/client/index.js';

let server: Server;
let http: MediamillHttp;
let answers: ((request: IncomingMessage, response: ServerResponse) => void)[];
let requests: IncomingMessage[];

beforeEach(async () => {
  answers = [];
  requests = [];
  server = createServer((request, response) => {
    requests.push(request);
    (answers.shift() ?? ((_request, last) => void last.writeHead(500).end()))(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  http = new MediamillHttp({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/media/`, key: 'mm_a_b' });
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

test('events are followed over a line that breaks and a server that is away, to the end', async () => {
  answers.push(
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const text =
        'retry: 1000\n\n' +
        event('asset', { state: 'processing' }) +
        event('progress', { state: 'processing', progress: { percent: 5 } });
      // In pieces that end anywhere.
      response.write(text.slice(0, 40));
      setTimeout(() => response.write(text.slice(40), () => setTimeout(() => response.destroy(), 20)), 20);
    },
    (_request, response) => void response.writeHead(503).end(),
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(event('asset', { state: 'ready' }) + event('end', { state: 'ready' }));
    },
  );
  const seen: AssetEvent[] = [];
  for await (const one of http.follow('a b')) seen.push(one);
  expect(seen).toEqual([
    { type: 'asset', asset: { state: 'processing' } },
    { type: 'progress', state: 'processing', progress: { percent: 5 } },
    { type: 'asset', asset: { state: 'ready' } },
  ]);
  expect(requests.map(({ url }) => url)).toEqual(Array(3).fill('/media/v1/assets/a%20b/events'));
  expect(requests[0]!.headers.authorization).toBe('Bearer mm_a_b');
});

test('whoever does not want to follow any more is let go', async () => {
  answers.push((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event('asset', { state: 'processing' }));
  });
  const abort = new AbortController();
  const events = http.follow('a', abort.signal);
  expect((await events.next()).value).toMatchObject({ type: 'asset' });
  abort.abort(new Error('enough'));
  await expect(events.next()).rejects.toThrow('enough');
});

test('an answer that is not ours is an error too', async () => {
  answers.push((_request, response) => void response.writeHead(502, { 'retry-after': '7' }).end('<html>bad gateway'));
  await expect(http.get('a')).rejects.toMatchObject({ status: 502, type: 'about:blank', retryAfter: 7 });
});

test('what is said of an upload goes with it', async () => {
  let body = '';
  answers.push((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":"x"}'));
  });
  const publishBy = new Date('2026-12-01T08:00:00Z');
  await http.upload(new Blob(['bytes'], { type: 'image/png' }), {
    tags: ['a', 'ü&b'],
    metadata: { k: 'v' },
    publishBy,
  });
  const [{ url, headers }] = requests as [IncomingMessage];
  expect(body).toBe('bytes');
  expect(headers['content-type']).toBe('image/png');
  const query = new URL(url!, 'http://x').searchParams;
  expect(query.getAll('tags')).toEqual(['a', 'ü&b']);
  expect(JSON.parse(query.get('metadata')!)).toEqual({ k: 'v' });
  expect(query.get('publishBy')).toBe('2026-12-01T08:00:00.000Z');
});
