/** `/v1/uploads`: resumable uploads by tus 1.0 (https://tus.io/protocols/resumable-upload). */
import { Server as TusServer } from '@tus/server';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { ApiContext } from '../../../api/context.js';
import { maxUploadBytes } from '../../../api/uploads/facts.js';
import { newUploadId } from '../../../api/uploads/open.js';
import type { Server } from '../instance.js';
import { letGo } from './body.js';
import { createTusLocker } from './tus-lock.js';
import { checkTus, problemOf, TUS_VERSION } from './tus-protocol.js';
import { tusSchemas } from './tus-schemas.js';
import { TusStore } from './tus-store.js';

const PATH = '/v1/uploads';
/** Where the asset's id stands in answers about a complete upload. */
const ASSET_ID = 'Mediamill-Asset-Id';
/** So long a writer that is asked to let go may take over what it has. Milliseconds. */
const DRAIN = 500;

const abilities = ({ config }: ApiContext, { extensions }: TusStore): Record<string, string> => ({
  'Tus-Version': TUS_VERSION,
  'Tus-Extension': extensions.join(','),
  'Tus-Max-Size': String(maxUploadBytes(config)),
});

/** The library's own answers to what is wrong become errors, which are answered as all of this server's are. */
class TusProtocol extends TusServer {
  override write(_context: unknown, _headers: unknown, status: number, body = ''): Promise<never> {
    return Promise.reject(problemOf(status, body));
  }
}

export function registerTus(server: Server, ctx: ApiContext): void {
  const store = new TusStore(ctx);
  const replies = new WeakMap<object, FastifyReply>();
  const nameAsset = async (request: { runtime?: { node?: { req: object } } }, id: string): Promise<void> => {
    const { assetId } = await store.find(id);
    if (assetId !== null) replies.get(request.runtime?.node?.req ?? {})?.raw.setHeader(ASSET_ID, assetId);
  };

  const tus = new TusProtocol({
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
      if (request.method === 'HEAD') await nameAsset(request, id);
    },
    onUploadFinish: async (request, { id }) => {
      await nameAsset(request, id);
      return {};
    },
    onResponseError: (_request, error) => {
      throw error instanceof Error ? error : problemOf(error.status_code, error.body);
    },
  });

  const serve = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    checkTus(request.method, request.headers);
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    replies.set(request.raw, reply);
    try {
      await store.callers.run(request.caller, () => tus.handle(request.raw, reply.raw));
    } finally {
      // What is thrown before that is answered as everywhere.
      if (reply.raw.headersSent) reply.hijack();
    }
  };

  void server.register(async (scope) => {
    // The library reads bodies itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.addHook('onResponse', async (request) => letGo(request.raw));
    // Preflight requests are answered by the hook that answers browsers; what tus says in it is added.
    scope.addHook('onSend', async ({ method }, reply) => {
      void reply.header('Tus-Resumable', TUS_VERSION);
      if (method === 'OPTIONS') void reply.headers(abilities(ctx, store));
      if (reply.statusCode === 412) void reply.header('Tus-Version', TUS_VERSION);
    });
    // Schemas are for the document: what they say is checked as the protocol says.
    scope.setValidatorCompiler(() => () => true);
    const config = { streams: true, access: 'write' } as const;
    const shown = { ...config, swagger: { exposeHeadRoute: true } };
    const { options, create, head, patch, remove } = tusSchemas(maxUploadBytes(ctx.config));
    const one = `${PATH}/:id`;
    scope.route({ method: 'OPTIONS', url: PATH, config, schema: options, handler: serve });
    scope.route({ method: 'POST', url: PATH, config, schema: create, handler: serve });
    scope.route({ method: 'OPTIONS', url: one, config, schema: { hide: true }, handler: serve });
    scope.route({ method: 'HEAD', url: one, config: shown, schema: head, handler: serve });
    scope.route({ method: 'PATCH', url: one, config, schema: patch, handler: serve });
    scope.route({ method: 'DELETE', url: one, config, schema: remove, handler: serve });
  });
}
