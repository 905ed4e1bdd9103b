/** The HTTP server: what all routes share. Routes are in the folders beside this file. */
import compress from '@fastify/compress';
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import { registerHealth } from './health.js';
import { build } from './instance.js';
import { registerPlay } from './play/routes.js';
import type { HttpPorts, HttpSettings } from './ports.js';
import { Problem, problemHandler } from './problems.js';

/** Of the text that we send; segments go from the store to the player. Bytes. */
const WORTH_COMPRESSING = 1024;
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
