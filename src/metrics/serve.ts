/** `/metrics`: what this process counts, as Prometheus reads it. On a port of its own, so that nobody outside sees it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { collectDefaultMetrics, Registry } from 'prom-client';

import type { Config } from '../config/schema.js';
import type { Logger } from '../logging/logger.js';
import type { ProcessKind } from './definition.js';
import { lookUp, lookUpAll } from './look-up.js';
import { metricsOf } from './metrics.js';

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface MetricsOptions extends Pick<Config, 'metrics'> {
  readonly kind: ProcessKind;
  /** Metrics of others to tell of beside ours, in the same format. */
  readonly beside?: (() => Promise<string>) | undefined;
}

/** Gauges whose names say that they are counters; each is the sum of one that stays. */
const MISNAMED = ['nodejs_active_resources_total', 'nodejs_active_handles_total', 'nodejs_active_requests_total'];

/** Listens before it returns. It keeps no process alive. @throws Error when the port is taken */
export async function serveMetrics(options: MetricsOptions, logger: Logger): Promise<MetricsServer> {
  const { kind, metrics, beside } = options;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  for (const metric of metricsOf(kind)) registry.registerMetric(metric);

  const tell = async (): Promise<string> => {
    const [others] = await Promise.all([beside ? lookUp('temporal', beside, logger) : undefined, lookUpAll(logger)]);
    return (await registry.metrics()) + (others ?? '');
  };
  let telling: Promise<string> | undefined;
  /** Several that ask at once are told the same. */
  const told = (): Promise<string> => (telling ??= tell().finally(() => (telling = undefined)));

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isAsked = new URL(request.url ?? '/', 'http://metrics').pathname === '/metrics';
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isAsked || !isRead) return void response.writeHead(isAsked ? 405 : 404).end();
    const body = await told();
    response.writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      logger.error('metrics can not be told', { error });
      response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: metrics.host, port: metrics.port }, resolve);
  });
  server.unref();
  const { port } = server.address() as AddressInfo;
  logger.info('metrics ready', { host: metrics.host, port });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
