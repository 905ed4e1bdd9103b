/** `/v1/uploads`: resumable uploads by tus 1.0 (https://tus.io/protocols/resumable-upload). */
import { Server as TusServer, TUS_RESUMABLE } from '@tus/server';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { ApiContext } from '../../../api/context.js';
import { asProblem } from '../../../api/failures.js';
import { maxUploadBytes } from '../../../api/uploads/facts.js';
import { newUploadId } from '../../../api/uploads/open.js';
import type { Server } from '../instance.js';
import { letGo } from './body.js';
import { createTusLocker, TusRefusal } from './tus-lock.js';
import { TusStore } from './tus-store.js';

const PATH = '/v1/uploads';
/** Where the asset's id stands in answers about a complete upload. */
const ASSET_ID = 'Mediamill-Asset-Id';
/** So long a writer that is asked to let go may take over what it has. Milliseconds. */
const DRAIN = 500;

const abilities = ({ config }: ApiContext, { extensions }: TusStore): Record<string, string> => ({
  'Tus-Resumable': TUS_RESUMABLE,
  'Tus-Version': TUS_RESUMABLE,
  'Tus-Extension': extensions.join(','),
  'Tus-Max-Size': String(maxUploadBytes(config)),
});

export function registerTus(server: Server, ctx: ApiContext): void {
  const store = new TusStore(ctx);
  const replies = new WeakMap<object, FastifyReply>();
  const replyOf = (request: { runtime?: { node?: { req: object } } }): FastifyReply | undefined =>
    replies.get(request.runtime?.node?.req ?? {});

  const tus = new TusServer({
    path: PATH,
    datastore: store,
    locker: createTusLocker(ctx.db, ctx.logger),
    lockDrainTimeout: DRAIN,
    maxSize: maxUploadBytes(ctx.config),
    relativeLocation: true,
    disableTerminationForFinishedUploads: true,
    // Origins are the whole server's matter.
    allowedOrigins: () => false,
    exposedHeaders: [ASSET_ID, 'X-Request-Id', 'Retry-After'],
    namingFunction: () => newUploadId(),
    onIncomingRequest: async (request, id) => {
      if (request.method !== 'HEAD') return;
      const upload = await store.find(id);
      if (upload?.assetId) replyOf(request)?.raw.setHeader(ASSET_ID, upload.assetId);
    },
    onUploadFinish: async (request, { id }) => {
      const upload = await store.find(id);
      if (upload?.assetId) replyOf(request)?.raw.setHeader(ASSET_ID, upload.assetId);
      return {};
    },
    onResponseError: (request, error) => {
      if (!(error instanceof Error) || error instanceof TusRefusal) return error;
      const problem = asProblem(error);
      if (problem.problem === 'internal') ctx.logger.error('request failed', { path: PATH, error });
      const { detail, retryAfter } = problem.details;
      if (retryAfter !== undefined) replyOf(request)?.raw.setHeader('retry-after', retryAfter);
      return { status_code: problem.status, body: `${problem.message}${detail ? ` ${detail}` : ''}\n` };
    },
  });

  const serve = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    replies.set(request.raw, reply);
    await store.callers.run(request.caller, () => tus.handle(request.raw, reply.raw));
  };

  void server.register(async (scope) => {
    // The library reads bodies itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.addHook('onResponse', async (request) => letGo(request.raw));
    // Answered by the hook that answers browsers; what tus says in it is added.
    scope.addHook('onSend', async ({ method }, reply) => {
      if (method === 'OPTIONS') void reply.headers(abilities(ctx, store));
    });
    const config = { streams: true, access: 'write' } as const;
    const schema = { tags: ['uploads'], hide: true };
    scope.route({ method: ['POST', 'OPTIONS'], url: PATH, config, schema, handler: serve });
    scope.route({ method: ['HEAD', 'PATCH', 'DELETE', 'OPTIONS'], url: `${PATH}/:id`, config, schema, handler: serve });
  });
}
