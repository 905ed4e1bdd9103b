/** What lies behind a URL that a stranger named, from public addresses only (SSRF). */
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';

import { publicLookup, RefusedAddress, refuseLiteral } from './public-address.js';

/** It can not be fetched. The message is for people, and says nothing of our network. */
export class FetchRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FetchRefused';
  }
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 5;
/** Until the head of an answer has come. Milliseconds. */
const HEAD_MS = 15_000;
const PORTS = new Set(['', '80', '443', '8080', '8443']);

export interface FetchOptions {
  readonly signal: AbortSignal;
  /** Default: `publicLookup`. */
  readonly lookup?: RequestOptions['lookup'];
  /** Default: of the web. */
  readonly ports?: ReadonlySet<string> | undefined;
}

/**
 * The answer to a GET, its body not read yet: 200, unencoded. Each name is resolved once and the address that was judged
 * is the one that is spoken to; every redirect is judged anew; nothing of ours (cookies, keys, proxies) goes along.
 *
 * @throws FetchRefused
 */
export async function fetchPublic(url: string, options: FetchOptions): Promise<IncomingMessage> {
  let target = parse(url, options);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const response = await ask(target, options);
    const { statusCode = 0, headers } = response;
    if (!REDIRECTS.has(statusCode)) {
      if (statusCode === 200 && !isEncoded(headers['content-encoding'])) return response;
      response.destroy();
      throw new FetchRefused(
        statusCode === 200 ? 'The server sends it compressed.' : `The server answered with status ${statusCode}.`,
      );
    }
    response.destroy();
    if (headers.location === undefined || !URL.canParse(headers.location, target.href)) {
      throw new FetchRefused('The server redirects to nowhere.');
    }
    const next = parse(new URL(headers.location, target).href, options);
    if (target.protocol === 'https:' && next.protocol === 'http:') {
      throw new FetchRefused('The server redirects from https to http.');
    }
    target = next;
  }
  throw new FetchRefused(`It is redirected more than ${MAX_REDIRECTS} times.`);
}

const isEncoded = (encoding: string | undefined): boolean => encoding !== undefined && encoding !== 'identity';

function parse(text: string, { ports = PORTS }: FetchOptions): URL {
  if (!URL.canParse(text)) throw new FetchRefused('This is not a URL.');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new FetchRefused('Only http and https are fetched.');
  if (url.username !== '' || url.password !== '') throw new FetchRefused('A URL with a password is not fetched.');
  if (!ports.has(url.port)) throw new FetchRefused(`Port ${url.port} is not fetched from.`);
  try {
    refuseLiteral(url);
  } catch (error) {
    throw new FetchRefused((error as Error).message, { cause: error });
  }
  return url;
}

function ask(url: URL, { signal, lookup = publicLookup }: FetchOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const protocol = url.protocol === 'https:' ? https : http;
    const request = protocol.get(url, {
      // No connection that somebody else opened, to an address that was not judged.
      agent: false,
      lookup,
      signal,
      headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'mediamill' },
      maxHeaderSize: 16_384,
    });
    const timer = setTimeout(() => request.destroy(new FetchRefused('The server does not answer.')), HEAD_MS);
    request.once('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    request.once('error', (error) => {
      clearTimeout(timer);
      reject(asRefusal(error, url));
    });
  });
}

function asRefusal(error: Error, { hostname }: URL): Error {
  if (error instanceof FetchRefused) return error;
  if (error instanceof RefusedAddress) return new FetchRefused(error.message, { cause: error });
  return new FetchRefused(`${hostname} can not be reached.`, { cause: error });
}
