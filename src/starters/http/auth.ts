/** Who asks, and how often: settled for every request before anything else is done with it. */
import rateLimit from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { mustAllow, type Caller, type Scope } from '../../api/caller.js';
import type { ApiContext } from '../../api/context.js';
import { authenticate } from '../../api/keys.js';
import { ApiProblem } from '../../api/problems.js';
import type { Server } from './instance.js';

/**
 * Default: `read` for GET and HEAD, `write` for everything else. `open`: the route admits by itself, or
 * everybody; there is no `request.caller`.
 */
export type Access = Scope | 'open';

declare module 'fastify' {
  interface FastifyRequest {
    /** Throws on routes whose access is `open`. */
    readonly caller: Caller;
  }
  interface FastifyContextConfig {
    access?: Access;
    /** Not counted against anybody's rate: what players ask for. */
    uncounted?: boolean;
  }
}

const WINDOW_MS = 60_000;
const callers = new WeakMap<FastifyRequest, Caller>();

export async function registerAuth(server: Server, ctx: ApiContext): Promise<void> {
  const limitOf = (caller: Caller | undefined): number =>
    caller?.limits.requestsPerMinute ?? ctx.config.http.requestsPerMinute;
  await server.register(rateLimit, { global: false });
  const count = server.createRateLimit({
    timeWindow: WINDOW_MS,
    max: (request) => limitOf(callers.get(request)),
    keyGenerator: (request) => callers.get(request)?.keyId ?? request.ip,
  });

  server.decorateRequest('caller', {
    getter(this: FastifyRequest): Caller {
      const caller = callers.get(this);
      if (!caller) throw new TypeError(`${this.routeOptions.url ?? this.url} is open: it has no caller`);
      return caller;
    },
  });

  async function admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { access = accessByMethod(request.method), uncounted = false } = request.routeOptions.config;
    // Of what is not there, everybody may learn so much.
    const isOpen = access === 'open' || request.is404;
    const refusal = isOpen ? undefined : await identify(request);
    if (!uncounted && limitOf(callers.get(request)) > 0) await limit(request, reply);
    if (refusal) throw refusal;
    if (!isOpen) mustAllow(request.caller, access);
  }

  /** Wrong keys count too. */
  async function identify(request: FastifyRequest): Promise<ApiProblem | undefined> {
    try {
      callers.set(request, await authenticate(ctx, request.headers.authorization));
      return undefined;
    } catch (error) {
      if (ApiProblem.is(error)) return error;
      throw error;
    }
  }

  async function limit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const standing = await count(request);
    if (standing.isAllowed) return;
    const { max, remaining, ttlInSeconds, isExceeded } = standing;
    void reply.headers({
      'ratelimit-limit': max,
      'ratelimit-remaining': remaining,
      'ratelimit-reset': ttlInSeconds,
    });
    if (isExceeded)
      throw new ApiProblem('too-many-requests', {
        detail: `${max} requests a minute are allowed.`,
        retryAfter: Math.max(1, ttlInSeconds),
      });
  }

  server.addHook('onRequest', admit);
}

const accessByMethod = (method: string): Scope => (method === 'GET' || method === 'HEAD' ? 'read' : 'write');
