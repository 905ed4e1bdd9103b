/**
 * The HTTP transport under the S3 client. The client itself knows neither time-outs nor cancellation,
 * leaves the bodies of 5xx answers unread (their sockets are lost) and logs its retries to the console.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import https from 'node:https';
import type { ClientOptions } from 'minio';
import type { Config } from '../config/index.js';
import { metrics } from '../metrics/index.js';
import { StoreStatusError } from './s3-errors.js';

/** 499 and 520 are what proxies say. */
const isTransient = (status: number): boolean => status >= 500 || status === 408 || status === 429 || status === 499;

const lengthOf = (headers: http.RequestOptions['headers'] | http.IncomingHttpHeaders): number =>
  Number((headers as Record<string, unknown> | undefined)?.['content-length']) || 0;

export interface S3Transport {
  readonly transport: Pick<typeof http, 'request'>;
  readonly agent: http.Agent;
  /** Runs requests that end when the signal is aborted. */
  within<T>(signal: AbortSignal | undefined, use: () => Promise<T>): Promise<T>;
}

/** @param idleMs a request of which no byte moves for so long is given up. */
export function createTransport(secure: boolean, idleMs: number): S3Transport {
  const scope = new AsyncLocalStorage<AbortSignal | undefined>();
  const protocol = secure ? https : http;
  const agent = new protocol.Agent({ keepAlive: true });

  const request = (options: http.RequestOptions, onResponse: (response: http.IncomingMessage) => void) => {
    const signal = scope.getStore();
    const sent = protocol.request({ ...options, ...(signal && { signal }) }, (response) => {
      const status = response.statusCode ?? 0;
      if (options.method !== 'HEAD') metrics.storeBytes.inc({ direction: 'read' }, lengthOf(response.headers));
      if (!isTransient(status)) return onResponse(response);
      response.resume();
      sent.emit('error', new StoreStatusError(status));
    });
    metrics.storeBytes.inc({ direction: 'written' }, lengthOf(options.headers));
    sent.setTimeout(idleMs, () => sent.destroy(new Error(`no byte moved for ${idleMs} ms`)));
    return sent;
  };

  return {
    transport: { request: request as typeof http.request },
    agent,
    within: (signal, use) => scope.run(signal, use),
  };
}

/** Runs one request, repeated once when the store gave way. */
export type Request = <T>(use: () => Promise<T>) => Promise<T>;

/** Where the store is, and who we are there. */
export function clientOptions(url: URL, { accessKey, secretKey, region }: Config['storage']): ClientOptions {
  const secure = url.protocol === 'https:';
  const port = Number(url.port) || (secure ? 443 : 80);
  return { endPoint: url.hostname.replace(/^\[|\]$/g, ''), port, useSSL: secure, accessKey, secretKey, region };
}
