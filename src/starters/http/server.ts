/** The HTTP server: what all routes share. Routes are in the folders beside this file. */
import compress from '@fastify/compress';
import cors from '@fastify/cors';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyInstance } from 'fastify';
import { registerHealth } from './health.js';
import { registerPlay } from './play/routes.js';
import type { HttpPorts, HttpSettings } from './ports.js';
import { Problem, problemHandler } from './problems.js';

/** Of the text that we send; segments go from the store to the player. Bytes. */
const WORTH_COMPRESSING = 1024;
const BODY_LIMIT = 64 * 1024;
/** A request must have arrived after so long. Milliseconds. */
const REQUEST_TIMEOUT = 15_000;

const build = (onError: ReturnType<typeof problemHandler>) =>
  fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
    // A player that keeps its connection open must not keep a stopping server; what is held gets its answer.
    forceCloseConnections: 'idle',
    // What can not be routed: a URL that can not be decoded.
    frameworkErrors: onError,
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 256 },
  }).withTypeProvider<TypeBoxTypeProvider>();

export type Server = ReturnType<typeof build>;

/** Not yet listening. `close()` answers the requests that are held. */
export async function createServer(ports: HttpPorts, settings: HttpSettings): Promise<FastifyInstance> {
  const onError = problemHandler(ports.logger);
  const server = build(onError);
  server.setErrorHandler(onError);
  server.setNotFoundHandler(() => {
    throw new Problem('not-found');
  });
  // Players are pages of other origins, and nothing here knows a cookie.
  await server.register(cors, {
    origin: '*',
    methods: ['GET', 'HEAD'],
    exposedHeaders: ['Retry-After'],
    maxAge: 86_400,
  });
  await server.register(compress, {
    threshold: WORTH_COMPRESSING,
    customTypes: /mpegurl|dash\+xml|json|^text\//,
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
  registerHealth(server, ports, settings);
  registerPlay(server, ports, settings);
  return server;
}
