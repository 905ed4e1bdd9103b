/**
 * `Idempotency-Key`: the same request again gets the answer of the first one, for a day. 409 while that is under way,
 * 422 for another request under the same key. (draft-ietf-httpapi-idempotency-key-header-07)
 */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../../api/context.js';
import { ApiProblem } from '../../api/problems.js';
import { claimKey, holdKey, releaseKey, settleKey, type StoredAnswer } from '../../catalogue/idempotency.js';
import type { Server } from './instance.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** With a key, on routes whose `idempotency` is `streams`. */
    idempotency: StreamedRepeat | undefined;
  }
  interface FastifyContextConfig {
    /**
     * `streams`: the route reads the body itself and says by `request.idempotency` what it was. Without it, routes
     * that stream take no keys; all other POST and PATCH do.
     */
    idempotency?: 'streams';
  }
}

/** Of a body that is only known when it has passed. */
export interface StreamedRepeat {
  /** It was answered before: read the body, keep nothing of it, and `replay`. */
  readonly isRepeat: boolean;
  /** What the body was, such as its SHA-256. Before the answer is sent; without it the answer is not kept. */
  seal(content: string): void;
  /** @throws ApiProblem `idempotency-mismatch` */
  replay(reply: FastifyReply, content: string): FastifyReply;
}

interface Held {
  readonly tenant: string;
  readonly key: string;
  /** Undefined as long as a streamed body may be anything. */
  fingerprint: string | undefined;
  readonly alive: NodeJS.Timeout;
}

const KEY = /^[\x20-\x7e]{1,255}$/;
const ALIVE_MS = 10_000;
const KEPT_HEADERS = ['content-type', 'etag', 'location'];

const hash = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

export function registerIdempotency(server: Server, { db, logger }: ApiContext): void {
  const held = new WeakMap<FastifyRequest, Held>();
  server.decorateRequest('idempotency', undefined);

  server.addHook('preHandler', async (request, reply) => {
    const key = keyOf(request);
    if (key === undefined) return;
    const { tenant } = request.caller;
    const { config } = request.routeOptions;
    const fingerprint = fingerprintOf(request);
    const claim = await claimKey(db, tenant, key, fingerprint);
    switch (claim.outcome) {
      case 'in-flight':
        throw new ApiProblem('idempotency-in-flight', { retryAfter: 1 });
      case 'mismatch':
        throw new ApiProblem('idempotency-mismatch');
      case 'answered':
        if (config.streams) request.idempotency = repeatOf(claim.fingerprint, fingerprint, claim.answer);
        else return replay(reply, claim.answer);
        return;
      case 'claimed': {
        const alive = setInterval(stayAlive, ALIVE_MS, tenant, key).unref();
        const mine: Held = { tenant, key, fingerprint: config.streams ? undefined : fingerprint, alive };
        held.set(request, mine);
        if (config.streams) request.idempotency = firstOf(mine, fingerprint);
      }
    }
  });

  // Before the answer leaves: who repeats the request then meets it.
  server.addHook('onSend', async (request, reply, payload) => {
    const mine = held.get(request);
    if (!mine) return;
    held.delete(request);
    clearInterval(mine.alive);
    const { tenant, key, fingerprint } = mine;
    // What may be otherwise the next time is no answer.
    const { statusCode: status } = reply;
    const body = textOf(payload);
    const isAnswer = status < 500 && status !== 429;
    try {
      if (isAnswer && body !== undefined && fingerprint !== undefined)
        await settleKey(db, tenant, key, fingerprint, {
          status,
          headers: kept(reply.getHeaders()),
          body,
        });
      else await releaseKey(db, tenant, key);
    } catch (error) {
      // What was done is done. The lock on the key runs out.
      logger.warn('an answer was not kept for its idempotency key', { requestId: request.id, error });
    }
  });

  function stayAlive(tenant: string, key: string): void {
    holdKey(db, tenant, key).catch((error: unknown) => logger.debug('an idempotency key was not held', { error }));
  }
}

/** Undefined of a stream. */
function textOf(payload: unknown): string | undefined {
  if (payload === undefined || payload === null) return '';
  if (Buffer.isBuffer(payload)) return payload.toString();
  return typeof payload === 'string' ? payload : undefined;
}

function keyOf({ method, headers, routeOptions }: FastifyRequest): string | undefined {
  const { access, streams, idempotency } = routeOptions.config;
  const key = headers['idempotency-key'];
  if (key === undefined || (method !== 'POST' && method !== 'PATCH') || access === 'open') return undefined;
  if (streams && idempotency !== 'streams') return undefined;
  if (typeof key !== 'string' || !KEY.test(key))
    throw new ApiProblem('invalid-request', { detail: 'Idempotency-Key has 1 to 255 printable characters.' });
  return key;
}

function fingerprintOf({ method, url, body, headers, routeOptions }: FastifyRequest): string {
  const content = routeOptions.config.streams ? '' : Buffer.isBuffer(body) ? body : (JSON.stringify(body) ?? '');
  return hash([method, url, headers['if-match'] ?? '', hash(content)].join('\n'));
}

const firstOf = (mine: Held, fingerprint: string): StreamedRepeat => ({
  isRepeat: false,
  seal: (content) => void (mine.fingerprint = sealed(fingerprint, content)),
  replay: () => {
    throw new TypeError('there is no answer to repeat');
  },
});

const repeatOf = (stored: string, fingerprint: string, answer: StoredAnswer): StreamedRepeat => ({
  isRepeat: true,
  seal: () => undefined,
  replay: (reply, content) => {
    if (stored !== sealed(fingerprint, content)) throw new ApiProblem('idempotency-mismatch');
    return replay(reply, answer);
  },
});

const sealed = (fingerprint: string, content: string): string => `${fingerprint}:${hash(content)}`;

const replay = (reply: FastifyReply, { status, headers, body }: StoredAnswer): FastifyReply =>
  reply
    .code(status)
    .headers(headers)
    .header('idempotency-replayed', 'true')
    .serializer((text) => text as string)
    .send(body === '' ? undefined : body);

function kept(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts = KEPT_HEADERS.map((name) => [name, headers[name]] as const);
  return Object.fromEntries(texts.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
