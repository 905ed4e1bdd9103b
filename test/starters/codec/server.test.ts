import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { defaultPayloadConverter } from '@temporalio/common';

import { EncryptionCodec } from '../../../src/client/encryption.js';
import { createLogger } from '../../../src/logging/index.js';
import { createCodecServer, originsOf, type CodecSettings } from '../../../src/starters/codec/server.js';

const codec = new EncryptionCodec([{ id: 'k1', key: randomBytes(32) }]);
const UI = 'http://127.0.0.1:8233';
const servers: Server[] = [];

async function open(own: Partial<CodecSettings> = {}): Promise<string> {
  const logger = createLogger({ level: 'error', backend: 'pino' });
  const server = createCodecServer(codec, { origins: originsOf(UI), token: '', ...own }, logger);
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
});

interface JsonPayload {
  readonly metadata: Record<string, string>;
  readonly data: string;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** As the Web UI holds it. */
function jsonOf(value: unknown): JsonPayload {
  const { metadata, data } = defaultPayloadConverter.toPayload(value);
  const entries = Object.entries(metadata!).map(([name, one]) => [name, base64(one)]);
  return { metadata: Object.fromEntries(entries), data: base64(data!) };
}

const post = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-namespace': 'default', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

test('it decodes what workers encoded, and encodes what the page sends', async () => {
  const url = await open();
  const payloads = [jsonOf({ key: 'film.mp4' }), jsonOf('second')];
  const encoded = (await (await post(`${url}/encode`, { payloads })).json()) as { payloads: JsonPayload[] };
  expect(encoded.payloads).toHaveLength(2);
  expect(JSON.stringify(encoded)).not.toContain(payloads[0]!.data);
  const decoded = await post(`${url}/decode`, encoded, { origin: UI });
  expect(await decoded.json()).toEqual({ payloads });
  expect(decoded.headers.get('access-control-allow-origin')).toBe(UI);
  expect(decoded.headers.get('cache-control')).toBe('no-store');
});

test('the page may ask from its own origin, under either name of loopback; pages of others may not', async () => {
  const url = await open();
  for (const origin of [UI, 'http://localhost:8233']) {
    const preflight = await fetch(`${url}/decode`, { method: 'OPTIONS', headers: { origin } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('x-namespace');
  }
  for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:9999']) {
    const refused = await post(`${url}/decode`, { payloads: [] }, { origin });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  }
});

test('with a token it asks for the token', async () => {
  const url = await open({ token: 'secret' });
  const ask = async (headers?: Record<string, string>): Promise<number> =>
    (await post(`${url}/decode`, { payloads: [] }, headers)).status;
  expect(await ask()).toBe(401);
  expect(await ask({ authorization: 'Bearer wrong!' })).toBe(401);
  expect(await ask({ authorization: 'Bearer secret' })).toBe(200);
});

test('nonsense is refused with a sentence', async () => {
  const url = await open();
  for (const body of ['', '{', '[]', '{"payloads": 1}', '{"payloads": [null]}', '{"payloads":[{"metadata":{"a":1}}]}'])
    expect([body, (await post(`${url}/decode`, body)).status]).toEqual([body, 400]);
  const other = new EncryptionCodec([{ id: 'other', key: randomBytes(32) }]);
  const [strange] = await other.encode([defaultPayloadConverter.toPayload('x')]);
  const metadata = Object.fromEntries(Object.entries(strange!.metadata!).map(([name, one]) => [name, base64(one)]));
  const refused = await post(`${url}/decode`, { payloads: [{ metadata, data: base64(strange!.data!) }] });
  expect([refused.status, await refused.text()]).toEqual([400, 'This was encrypted with another key, or is damaged.']);
  expect((await fetch(`${url}/decode`)).status).toBe(405);
  expect((await post(`${url}/other`, {})).status).toBe(404);
  expect((await post(`${url}/decode`, 'x'.repeat(9 * 1024 * 1024))).status).toBe(413);
});

test('the Web UI elsewhere has one origin', () => {
  expect(originsOf('https://temporal.example/ui')).toEqual(['https://temporal.example']);
});
