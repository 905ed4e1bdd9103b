/** Decrypts for the Temporal Web UI, by its protocol for remote codecs: `POST /decode` and `/encode`, Payloads as ProtoJSON. */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import type { Payload, PayloadCodec } from '@temporalio/common';

import { metrics } from '../../metrics/index.js';
import type { Logger } from '../../logging/logger.js';

export interface CodecSettings {
  /** Pages that may ask: those of the Web UI. */
  readonly origins: readonly string[];
  /** Bearer token; empty: none is asked for. */
  readonly token: string;
}

/** Temporal's own limit for one message is 4 MiB. Base64 and its JSON take a third more. Bytes. */
const MAX_BODY = 8 * 1024 * 1024;
const REQUEST_TIMEOUT = 15_000;

/** Metadata and data in Base64. */
interface JsonPayload {
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly data?: string | undefined;
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Not yet listening. */
export function createCodecServer(codec: PayloadCodec, settings: CodecSettings, logger: Logger): Server {
  const server = createServer((request, response) => {
    measure(request, response);
    answer(codec, settings, request, response).catch((error: unknown) => {
      const { status, message } = error instanceof Refusal ? error : new Refusal(500, 'It could not be done.');
      if (status === 500) logger.error('codec request failed', { url: request.url, error });
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(message);
    });
  });
  server.requestTimeout = REQUEST_TIMEOUT;
  return server;
}

function measure({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
  const started = performance.now();
  response.once('close', () => {
    const status = `${Math.floor(response.statusCode / 100)}xx` as RequestLabels['status'];
    const route = (/\/(?:encode|decode)$/.exec(url.split('?', 1)[0]!)?.[0] ?? '') as RequestLabels['route'];
    const labels = { method: method as RequestLabels['method'], route, status };
    metrics.httpRequests.observe(labels, (performance.now() - started) / 1000);
  });
}

type RequestLabels = Parameters<typeof metrics.httpRequests.observe>[0];

async function answer(
  codec: PayloadCodec,
  { origins, token }: CodecSettings,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin } = request.headers;
  if (request.url === '/healthz') return void response.end('ok');
  response.setHeader('vary', 'origin');
  // Whoever has no origin is no page. A page of another origin could not read the answer, yet it shall not even ask.
  if (origin !== undefined) {
    if (!origins.includes(origin)) throw new Refusal(403, 'This origin may not decrypt.');
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-credentials', 'true');
  }
  if (request.method === 'OPTIONS') {
    response.writeHead(204, {
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, x-namespace, authorization',
      'access-control-max-age': '86400',
    });
    return void response.end();
  }
  const { pathname } = new URL(request.url ?? '/', 'http://codec');
  // Behind a gateway the path may have a prefix.
  const step = /\/(encode|decode)$/.exec(pathname)?.[1] as 'encode' | 'decode' | undefined;
  if (!step) throw new Refusal(404, 'There are /encode and /decode.');
  if (request.method !== 'POST') throw new Refusal(405, 'This takes a POST.');
  if (token !== '' && !isSame(request.headers.authorization, `Bearer ${token}`))
    throw new Refusal(401, 'A token is needed.');
  const payloads = parse(await read(request));
  const coded = await coder(codec, step, payloads);
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-store');
  response.end(JSON.stringify({ payloads: coded.map(toJson) }));
}

async function coder(codec: PayloadCodec, step: 'encode' | 'decode', payloads: Payload[]): Promise<Payload[]> {
  try {
    return await codec[step](payloads);
  } catch {
    throw new Refusal(400, 'This was encrypted with another key, or is damaged.');
  }
}

function isSame(given: string | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY) throw new Refusal(413, `At most ${MAX_BODY} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(body: string): Payload[] {
  try {
    const { payloads } = JSON.parse(body) as { payloads: readonly JsonPayload[] };
    return payloads.map(({ metadata = {}, data = '' }) => ({
      metadata: Object.fromEntries(
        Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
      ),
      data: Buffer.from(data, 'base64'),
    }));
  } catch {
    throw new Refusal(400, 'Expected {"payloads": [{"metadata": {...}, "data": "..."}]}, values in Base64.');
  }
}

const base64 = (value: Uint8Array): string => Buffer.from(value).toString('base64');

const toJson = ({ metadata, data }: Payload): JsonPayload => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
  data: base64(data ?? new Uint8Array()),
});

/** A page on loopback may be reached under either name. */
export function originsOf(uiUrl: string): string[] {
  const { origin, hostname } = new URL(uiUrl);
  const twin = { '127.0.0.1': 'localhost', localhost: '127.0.0.1' }[hostname];
  return twin ? [origin, origin.replace(hostname, twin)] : [origin];
}
