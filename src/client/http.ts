/** Mediamill's HTTP API for programs. Needs nothing but `fetch`. */
import { EventSourceParserStream } from 'eventsource-parser/stream';

import { FINAL_STATES, type AssetState, type MediaKind } from '../contracts/assets.js';
import type { DeadlineState } from '../contracts/deadlines.js';
import type { Asset, AssetChange, AssetEvent, AssetPage } from './http-types.js';

export interface HttpOptions {
  /** Where the service is: `https://media.example`. */
  readonly url: string;
  /** `mm_...`, made by `mediamill keys create`. Absent: none, as on a developer's machine. */
  readonly key?: string | undefined;
}

export interface UploadOptions {
  readonly contentType?: string | undefined;
  readonly fileName?: string | undefined;
  readonly title?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly profile?: string | undefined;
  /** 1 is the most urgent, 5 the least. */
  readonly priority?: number | undefined;
  readonly publishBy?: Date | undefined;
  /** Seconds from the start of encoding. */
  readonly publicationTimeout?: number | undefined;
  readonly publishNotBefore?: Date | undefined;
  /** Of the bytes, hexadecimal: others are refused then. */
  readonly sha256?: string | undefined;
  /** The same upload under the same key is taken once. */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions {
  /** Words in title, file name, tags and metadata. */
  readonly q?: string | undefined;
  readonly kind?: MediaKind | undefined;
  readonly state?: readonly AssetState[] | undefined;
  readonly deadline?: readonly DeadlineState[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly profile?: string | undefined;
  readonly minBytes?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly minDuration?: number | undefined;
  readonly maxDuration?: number | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
  /** Id of an image. */
  readonly similarTo?: string | undefined;
  readonly maxDistance?: number | undefined;
  readonly sort?: string | undefined;
  /** Of one page, at most 200. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** An answer that is not what was asked for: RFC 9457. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    /** Stable: `urn:mediamill:problem:...`; `about:blank` when it came from something in between. */
    readonly type: string,
    message: string,
    /** Seconds. */
    readonly retryAfter?: number | undefined,
  ) {
    super(message);
    this.name = 'HttpError';
  }
}

type QueryValue = string | number | Date | undefined;
type Query = Readonly<Record<string, QueryValue | readonly QueryValue[]>>;

interface Request {
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: NonNullable<RequestInit['body']>;
  readonly json?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds between a stream of events that broke off and the next. */
const RECONNECT = 1_000;

/** Every method throws HttpError for an answer that is none, and TypeError, as `fetch` does, when there is no answer. */
export class MediamillHttp {
  readonly #base: string;
  readonly #authorization: Readonly<Record<string, string>>;

  constructor({ url, key }: HttpOptions) {
    this.#base = url.replace(/\/+$/, '');
    this.#authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
  }

  /**
   * In one request. Large files over bad lines: tus, at `/v1/uploads`.
   *
   * @param body streamed where it is a stream
   */
  async upload(
    body: Blob | Uint8Array | ReadableStream<Uint8Array>,
    { contentType, signal, idempotencyKey, metadata, publishBy, publishNotBefore, ...facts }: UploadOptions = {},
  ): Promise<Asset> {
    const type = contentType ?? (body instanceof Blob && body.type !== '' ? body.type : 'application/octet-stream');
    const query = {
      ...facts,
      publishBy: publishBy?.toISOString(),
      publishNotBefore: publishNotBefore?.toISOString(),
      metadata: metadata && JSON.stringify(metadata),
    };
    const headers = {
      'content-type': type,
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    };
    return this.#json('POST', '/v1/assets', { query, headers, body, signal });
  }

  get(id: string): Promise<Asset> {
    return this.#json('GET', asset(id));
  }

  list(options: ListOptions = {}): Promise<AssetPage> {
    return this.#json('GET', '/v1/assets', { query: { ...options } });
  }

  /** Every asset of every page. */
  async *all(options: ListOptions = {}): AsyncGenerator<Asset, void, undefined> {
    let { cursor } = options;
    do {
      const page = await this.list({ ...options, cursor });
      yield* page.items;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  /** The asset whenever it changes and its progress each second, until it has ended. Comes back when the line breaks. */
  async *follow(id: string, signal?: AbortSignal): AsyncGenerator<AssetEvent, void, undefined> {
    for (;;) {
      try {
        const { body } = await this.#fetch('GET', `${asset(id)}/events`, { signal });
        for await (const { event, data } of eventsOf(body)) {
          if (event === 'end') return;
          const value = JSON.parse(data) as object;
          if (event === 'asset') yield { type: 'asset', asset: value as Asset };
          if (event === 'progress')
            yield { type: 'progress', ...(value as Omit<AssetEvent & { type: 'progress' }, 'type'>) };
        }
      } catch (error) {
        // An answer is an answer; a line that broke is another's matter.
        if (error instanceof HttpError && error.status !== 503) throw error;
        signal?.throwIfAborted();
      }
      await new Promise((resolve) => setTimeout(resolve, RECONNECT));
      signal?.throwIfAborted();
    }
  }

  /** Waits for its end: `ready`, `partial`, `failed`, `cancelled` or `deleted`. */
  async wait(id: string, signal?: AbortSignal): Promise<Asset> {
    for await (const event of this.follow(id, signal)) {
      if (event.type === 'asset' && FINAL_STATES.includes(event.asset.state)) return event.asset;
    }
    return this.get(id);
  }

  change(id: string, change: AssetChange): Promise<Asset> {
    return this.#json('PATCH', asset(id), { json: change });
  }

  setPriority(id: string, priority: number): Promise<Asset> {
    return this.change(id, { priority });
  }

  cancel(id: string): Promise<Asset> {
    return this.#json('POST', `${asset(id)}/cancel`);
  }

  /** @param renditions in place; absent: everything, as a new generation */
  reprocess(
    id: string,
    wish: { profile?: string; renditions?: readonly string[]; priority?: number } = {},
  ): Promise<Asset> {
    return this.#json('POST', `${asset(id)}/reprocess`, { json: wish });
  }

  async remove(id: string): Promise<void> {
    await this.#fetch('DELETE', asset(id));
  }

  async #json<T>(method: string, path: string, request?: Request): Promise<T> {
    return (await (await this.#fetch(method, path, request)).json()) as T;
  }

  async #fetch(
    method: string,
    path: string,
    { query = {}, headers, body, json, signal }: Request = {},
  ): Promise<Response> {
    const url = new URL(this.#base + path);
    for (const [name, value] of Object.entries(query))
      for (const one of ([] as QueryValue[]).concat(value))
        if (one !== undefined) url.searchParams.append(name, one instanceof Date ? one.toISOString() : String(one));
    const init: RequestInit & { duplex: 'half' } = {
      method,
      headers: {
        ...this.#authorization,
        ...headers,
        ...(json !== undefined && { 'content-type': 'application/json' }),
      },
      // A stream is sent as it comes; the answer follows its end.
      duplex: 'half',
      ...(body !== undefined && { body }),
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(signal && { signal }),
    };
    const response = await fetch(url, init);
    if (!response.ok) throw await errorOf(response);
    return response;
  }
}

const asset = (id: string): string => `/v1/assets/${encodeURIComponent(id)}`;

async function* eventsOf(body: Response['body']): AsyncGenerator<{ event?: string | undefined; data: string }> {
  if (!body) return;
  yield* body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
}

async function errorOf(response: Response): Promise<HttpError> {
  const text = await response.text();
  const retryAfter = Number(response.headers.get('retry-after') ?? NaN);
  const wait = Number.isNaN(retryAfter) ? undefined : retryAfter;
  try {
    const { type, title, detail } = JSON.parse(text) as { type?: string; title?: string; detail?: string };
    return new HttpError(response.status, type ?? 'about:blank', [title, detail].filter(Boolean).join(' '), wait);
  } catch {
    return new HttpError(response.status, 'about:blank', `HTTP ${response.status}`, wait);
  }
}
