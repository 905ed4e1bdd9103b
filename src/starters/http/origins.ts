/** Pages of other origins: which may ask us, and what. */
import cors from '@fastify/cors';
import { ApiProblem } from '../../api/problems.js';
import { isLoopback } from '../../config/rules.js';
import type { Config } from '../../config/schema.js';
import type { Server } from './instance.js';

/** Of answers, beside those that pages may always read. Those of tus are at the end. */
const READABLE = [
  ...['ETag', 'Location', 'Link', 'Retry-After', 'X-Request-Id'],
  ...['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset', 'Idempotency-Replayed', 'Mediamill-Asset-Id'],
  ...['Tus-Resumable', 'Tus-Version', 'Tus-Extension', 'Tus-Max-Size', 'Tus-Checksum-Algorithm'],
  ...['Upload-Offset', 'Upload-Length', 'Upload-Metadata', 'Upload-Expires', 'Upload-Defer-Length'],
];
/** Seconds. */
const REMEMBERED = 86_400;
const EVERY = '*';

export async function registerOrigins(server: Server, { http }: Pick<Config, 'http'>): Promise<void> {
  const { allowedOrigins } = http;
  await server.register(cors, {
    // Nothing here knows a cookie: a page of any origin can do what somebody without a key can do.
    origin: allowedOrigins.includes(EVERY) ? EVERY : [...allowedOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: READABLE,
    maxAge: REMEMBERED,
    // Clients of tus ask what it can, which is no question of a browser's.
    strictPreflight: false,
  });
  if (http.auth === 'off') guardLoopback(server, allowedOrigins);
}

/**
 * Who asks nobody for a key listens on loopback, where any page that somebody on this machine visits can reach it.
 * Such pages may play; to change something they must be of our own origin, or named. A name that is not of loopback
 * is one that somebody points here to be of our origin.
 */
function guardLoopback(server: Server, allowedOrigins: readonly string[]): void {
  server.addHook('onRequest', async ({ method, hostname, host, headers: { origin } }) => {
    if (!isLoopback(hostname)) throw new ApiProblem('forbidden', { detail: `This server is not ${hostname}.` });
    if (['GET', 'HEAD', 'OPTIONS'].includes(method) || origin === undefined) return;
    if (hostOf(origin) === host || allowedOrigins.includes(origin)) return;
    throw new ApiProblem('forbidden', {
      detail: 'Pages of other origins may not do that while http.auth is off: see http.allowedOrigins.',
    });
  });
}

const hostOf = (origin: string): string => (URL.canParse(origin) ? new URL(origin).host : '');
