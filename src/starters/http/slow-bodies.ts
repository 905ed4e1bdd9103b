/** Of a body that trickles in. Node would watch all requests alike, and those that bring media may take hours. */
import type { FastifyRequest } from 'fastify';
import type { Server } from './instance.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route reads the body itself, and sees itself to its pace. */
    streams?: boolean;
  }
}

const ARRIVED_MS = 15_000;

export function registerSlowBodies(server: Server): void {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>();
  const arrived = async (request: FastifyRequest): Promise<void> => clearTimeout(timers.get(request));

  server.addHook('preParsing', async (request) => {
    if (request.routeOptions.config.streams) return;
    // Whoever is that slow does not read an answer either.
    const timer = setTimeout(() => request.raw.destroy(), ARRIVED_MS);
    timers.set(request, timer);
  });
  server.addHook('preValidation', arrived);
  server.addHook('onError', arrived);
  server.addHook('onRequestAbort', arrived);
}
