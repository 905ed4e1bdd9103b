/** The framework, as all routes meet it. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify from 'fastify';
import type { problemHandler } from './problems.js';

const BODY_LIMIT = 64 * 1024;
/** A request must have arrived after so long. Milliseconds. */
const REQUEST_TIMEOUT = 15_000;

export const build = (onError: ReturnType<typeof problemHandler>) =>
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
