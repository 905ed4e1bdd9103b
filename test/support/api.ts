/** An HTTP server of the test's own on real servers, and callers with keys. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';

import type { KeyLimits, Scope } from '../../src/api/caller.js';
import type { ApiContext } from '../../src/api/context.js';
import { createKey } from '../../src/api/keys.js';
import { openContext } from '../../src/api/open-context.js';
import type { Config, ConfigOverrides } from '../../src/config/index.js';
import { merge } from '../../src/local/addresses.js';
import { createLogger } from '../../src/logging/index.js';
import { createServer } from '../../src/starters/http/server.js';

export interface TestApi {
  readonly ctx: ApiContext;
  readonly server: FastifyInstance;
  /** Without a slash at its end. */
  readonly url: string;
  /** Of a key of a tenant's; asks as its owner. */
  as(tenant: string, options?: { scopes?: readonly Scope[]; limits?: KeyLimits }): Promise<Client>;
  close(): Promise<void>;
}

export interface Client {
  readonly key: string;
  readonly keyId: string;
  /** @param path from the root: `/v1/assets` */
  request(path: string, init?: RequestInit): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** With a body of JSON. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

export const TOKEN_SECRET = 'a secret of a test, long enough for it';

/** With keys, on a free port of loopback. */
export async function openApi(config: Config, overrides: ConfigOverrides = {}): Promise<TestApi> {
  const http = { auth: 'keys' as const, tokenSecret: TOKEN_SECRET, requestsPerMinute: 0, ...overrides.http };
  const own = merge(config, { log: { level: 'error' }, ...overrides, http });
  const { ctx, close } = openContext(own, createLogger(own.log), 'test');
  const server = await createServer(ctx);
  await server.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return {
    ctx,
    server,
    url,
    as: async (tenant, { scopes = ['read', 'write'] as const, limits } = {}) => {
      const { id, key } = await createKey(ctx.db, { tenant, name: 'test', scopes, limits });
      return clientOf(url, id, key);
    },
    close: async () => {
      await server.close();
      await close();
    },
  };
}

function clientOf(url: string, keyId: string, key: string): Client {
  const authorization = `Bearer ${key}`;
  const request = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url + path, { ...init, headers: { authorization, ...(init.headers as Record<string, string>) } });
  return {
    key,
    keyId,
    request,
    get: (path, headers) => request(path, { headers }),
    send: (method, path, body, headers) =>
      request(path, {
        method,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
      }),
  };
}

interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
}

/** `404 asset-unknown`: that the answer is a problem of RFC 9457, and which. */
export async function problemOf(response: Response): Promise<string> {
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('application/problem+json'))
    throw new Error(`${response.status} ${type}: ${await response.text()}`);
  const body = (await response.json()) as ProblemBody;
  if (body.status !== response.status || !body.title) throw new Error(JSON.stringify(body));
  return `${body.status} ${body.type.replace('urn:mediamill:problem:', '')}`;
}
