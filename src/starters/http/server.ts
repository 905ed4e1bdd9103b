/** The HTTP server: what all routes share. Routes are in the folders beside this file. */
import compress from '@fastify/compress';
import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../../api/context.js';
import { ApiProblem } from '../../api/problems.js';
import { registerActions } from './assets/actions.js';
import { registerEvents } from './assets/events.js';
import { registerAssets } from './assets/routes.js';
import { registerAuth } from './auth.js';
import { registerHealth } from './health.js';
import { registerIdempotency } from './idempotency.js';
import { registerImages } from './images/routes.js';
import { build, type Server } from './instance.js';
import { registerMeasure } from './measure.js';
import { refuseOtherMethods } from './methods.js';
import { registerOpenApi } from './openapi.js';
import { registerPage } from './page/routes.js';
import { registerOrigins } from './origins.js';
import { registerPlainText } from './plain-text.js';
import { registerPlay } from './play/routes.js';
import { problemHandler } from './problems.js';
import { registerSlowBodies } from './slow-bodies.js';
import { registerUploads } from './uploads/routes.js';
import { registerWebhooks } from './webhooks/routes.js';

/** Of the text that we send; segments go from the store to the player. Bytes. */
const WORTH_COMPRESSING = 1024;
/** With the event loop so late on average, further requests are told to come again. Milliseconds. */
const TOO_LATE = 1_500;
/** Long enough that one long step, as at the start, is no overload. Milliseconds. */
const AVERAGE_OVER = 5_000;

/** Not yet listening. `close()` answers the requests that are held; the context stays open. */
export async function createServer(ctx: ApiContext): Promise<FastifyInstance> {
  const onError = problemHandler(ctx.logger);
  const server = build(onError, ctx.config.http.trustedProxies);
  server.setErrorHandler(onError);
  server.setNotFoundHandler(() => {
    throw new ApiProblem('not-found');
  });
  await registerManners(server, ctx);
  await registerAuth(server, ctx);
  registerSlowBodies(server);
  registerPlainText(server);
  registerIdempotency(server, ctx);
  await registerOpenApi(server, ctx.config);
  const refuseOthers = refuseOtherMethods(server);

  registerHealth(server, ctx);
  registerAssets(server, ctx);
  registerActions(server, ctx);
  registerEvents(server, ctx);
  registerUploads(server, ctx);
  registerWebhooks(server, ctx);
  registerPlay(server, ctx);
  await registerImages(server, ctx);
  await registerPage(server, ctx);

  // Routes of plugins, too.
  await server.after();
  refuseOthers();
  return server;
}

/** Every answer's. In this order: preflight requests of browsers have no key. */
async function registerManners(server: Server, { config }: ApiContext): Promise<void> {
  registerMeasure(server);
  server.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id));
  await registerOrigins(server, config);
  await server.register(underPressure, {
    maxEventLoopDelay: TOO_LATE,
    sampleInterval: AVERAGE_OVER,
    pressureHandler: async ({ routeOptions }) => {
      if (routeOptions.url !== '/healthz') throw new ApiProblem('overloaded', { retryAfter: 1 });
    },
  });
  await server.register(compress, {
    threshold: WORTH_COMPRESSING,
    // A stream of events must not wait in a compressor.
    customTypes: /mpegurl|dash\+xml|json|^text\/(?!event-stream)/,
    encodings: ['br', 'gzip'],
  });
  // A connection that was busy when the server closed is not idle: the answer has to end it.
  let closing = false;
  server.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  server.addHook('onSend', async (_request, reply) => {
    if (closing) void reply.header('connection', 'close');
  });
  // Nor one whose answer had begun before, as streams of events have.
  server.addHook('onResponse', async ({ raw }) => {
    if (closing) raw.socket.destroySoon();
  });
}
