/** Counts what is asked and how long it takes, by route: never by URL, in which ids stand. */
import type { FastifyInstance } from 'fastify';
import { metrics } from '../../metrics/index.js';

type Labels = Parameters<typeof metrics.httpRequests.observe>[0];

/** Also of requests that nobody waited for to the end. */
export function registerMeasure(server: Pick<FastifyInstance, 'addHook'>): void {
  server.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    const status = `${Math.floor(reply.statusCode / 100)}xx` as Labels['status'];
    const labels = { method: method as Labels['method'], route: routeOptions.url as Labels['route'], status };
    metrics.httpRequests.observe(labels, reply.elapsedTime / 1000);
  });
}
