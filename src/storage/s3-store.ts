/** The object store on any S3 endpoint, through the `minio` client. */
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'minio';
import type { Config } from '../config/index.js';
import { MediaError } from '../contracts/errors.js';
import type {
  DownloadOptions,
  ObjectStat,
  ObjectStore,
  ObjectVersion,
  RangeOptions,
  ReadOptions,
  SignedUrlOptions,
  WriteOptions,
} from './object-store.js';
import type { PartStore } from './part-store.js';
import type { PublicRead } from './public-read.js';
import { ensureBucket } from './s3-buckets.js';
import { save } from './s3-download.js';
import { asStoreError } from './s3-errors.js';
import { attachment, headersOf, statOf } from './s3-headers.js';
import { S3Parts } from './s3-parts.js';
import { signLike } from './s3-presign.js';
import { abortUploads, DELETE_AT_ONCE, removeObjects } from './s3-remove.js';
import { clientOptions, createTransport, type S3Transport } from './s3-transport.js';
import { uploadFile } from './s3-upload.js';
import { listVersions, removeVersions } from './s3-versions.js';

/** S3: at most so many keys in one page of a listing. */
const PAGE = 1000;
const RETRY_MS = 200;

const versionQuery = (options: ReadOptions): string =>
  options.versionId ? `versionId=${encodeURIComponent(options.versionId)}` : '';

class S3Store implements ObjectStore {
  readonly parts: PartStore;
  readonly #client: Client;
  /** Signs for the address that players use: the host is part of the signature. */
  readonly #signer: Client;
  readonly #transport: S3Transport;
  readonly #region: string;
  readonly #publicUrl: string;
  readonly #secretKey: string;

  constructor(config: Config['storage']) {
    this.#publicUrl = (config.publicUrl || config.endpoint).replace(/\/+$/, '');
    const endpoint = new URL(config.endpoint);
    this.#transport = createTransport(endpoint.protocol === 'https:', config.timeoutSeconds * 1000);
    this.#client = new Client({
      ...clientOptions(endpoint, config),
      transport: this.#transport.transport,
      transportAgent: this.#transport.agent,
      retryOptions: { disableRetry: true },
    });
    this.#signer = new Client(clientOptions(new URL(this.#publicUrl), config));
    this.#region = config.region;
    this.#secretKey = config.secretKey;
    this.parts = new S3Parts({
      client: this.#client,
      signer: this.#signer,
      credentials: config,
      request: (signal, use) => this.#request(signal, use),
      stat: (bucket, key) => this.stat(bucket, key),
    });
  }

  async stat(bucket: string, key: string, options: ReadOptions = {}): Promise<ObjectStat> {
    const target = { method: 'HEAD', bucketName: bucket, objectName: key, query: versionQuery(options) };
    const response = await this.#reading(options, () => this.#client.makeRequestAsyncOmit({ ...target }));
    return statOf(response.headers);
  }

  async read(bucket: string, key: string, options: ReadOptions = {}): Promise<Buffer> {
    return this.#reading(options, async () => buffer(await this.#get(bucket, key, options)));
  }

  async readRange(
    bucket: string,
    key: string,
    offset: number,
    length: number,
    options: RangeOptions = {},
  ): Promise<Buffer> {
    const etag = options.etag?.replaceAll('"', '');
    return this.#reading(options, async () => {
      try {
        const response = await this.#client.makeRequestAsync(
          {
            method: 'GET',
            bucketName: bucket,
            objectName: key,
            query: versionQuery(options),
            headers: { range: `bytes=${offset}-${offset + length - 1}`, ...(etag && { 'if-match': `"${etag}"` }) },
          },
          '',
          [206],
        );
        return await buffer(response);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'InvalidRange') return Buffer.alloc(0);
        if (etag && code === 'PreconditionFailed') throw new MediaError('OBJECT_GONE', undefined, { cause: error });
        throw error;
      }
    });
  }

  async download(bucket: string, key: string, path: string, options: DownloadOptions = {}): Promise<ObjectStat> {
    const etag = options.etag?.replaceAll('"', '');
    const response = await this.#reading(options, () => this.#get(bucket, key, options, etag)).catch(
      (error: unknown) => {
        // Somebody knew its etag, so it was there.
        if (etag && MediaError.is(error) && error.code === 'OBJECT_MISSING') {
          throw new MediaError('OBJECT_GONE', undefined, { cause: error });
        }
        throw error;
      },
    );
    const stat = statOf(response.headers);
    try {
      // Not every store honours If-Match on GET.
      if (etag && stat.etag !== etag) throw new MediaError('OBJECT_GONE');
      if (options.maxBytes !== undefined && stat.bytes > options.maxBytes) {
        throw new MediaError('LIMIT_BYTES', `It has ${stat.bytes} bytes, allowed are ${options.maxBytes}.`);
      }
      await this.#mapped(options.signal, () => save(response, path, stat.bytes, options));
    } catch (error) {
      response.destroy();
      throw error;
    }
    return stat;
  }

  async putBytes(bucket: string, key: string, bytes: Uint8Array, options: WriteOptions): Promise<void> {
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const target = { method: 'PUT', bucketName: bucket, objectName: key };
    await this.#request(options.signal, () =>
      this.#client.makeRequestAsyncOmit({ ...target, headers: headersOf(options) }, body),
    );
  }

  async putIfAbsent(bucket: string, key: string, bytes: Uint8Array, options: WriteOptions): Promise<boolean> {
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const headers = { ...headersOf(options), 'if-none-match': '*' };
    const target = { method: 'PUT', bucketName: bucket, objectName: key };
    return this.#request(options.signal, async () => {
      try {
        await this.#client.makeRequestAsyncOmit({ ...target, headers: { ...headers } }, body);
        return true;
      } catch (error) {
        // 412, or 409 where two writers met.
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'PreconditionFailed' || code === 'ConditionalRequestConflict') return false;
        throw error;
      }
    });
  }

  async putFile(bucket: string, key: string, path: string, options: WriteOptions): Promise<void> {
    const context = {
      client: this.#client,
      request: <T>(use: () => Promise<T>) => this.#request(options.signal, use),
      always: <T>(use: () => Promise<T>) => this.#request(undefined, use),
    };
    await this.#mapped(options.signal, () => uploadFile(context, bucket, key, path, headersOf(options)));
  }

  async *list(
    bucket: string,
    prefix: string,
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<{ key: string; bytes: number; etag: string; modifiedAt: Date }> {
    let token = '';
    do {
      const page = await this.#request(options.signal, () =>
        this.#client.listObjectsV2Query(bucket, prefix, token, '', PAGE, ''),
      );
      for (const { name, size, etag, lastModified } of page.objects) {
        if (name === undefined) continue;
        yield { key: String(name), bytes: Number(size), etag: String(etag), modifiedAt: new Date(lastModified) };
      }
      token = page.isTruncated ? page.nextContinuationToken : '';
    } while (token);
  }

  async remove(bucket: string, keys: readonly string[]): Promise<void> {
    await removeObjects(this.#client, (use) => this.#request(undefined, use), bucket, keys);
  }

  async removePrefix(bucket: string, prefix: string): Promise<number> {
    // `assets/1` would take `assets/12` with it, and the empty prefix the whole bucket.
    if (!/[^/]\/$/.test(prefix)) throw new TypeError('a prefix to remove must end with a slash');
    // Uploads first: one that completes meanwhile is then an object that the listing finds.
    await this.abortUploads(bucket, prefix);
    let removed = 0;
    const batch: string[] = [];
    for await (const { key } of this.list(bucket, prefix)) {
      batch.push(key);
      removed += 1;
      if (batch.length === DELETE_AT_ONCE) await this.remove(bucket, batch.splice(0));
    }
    await this.remove(bucket, batch);
    return removed;
  }

  async *listVersions(
    bucket: string,
    prefix: string,
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<ObjectVersion> {
    yield* listVersions(this.#client, (use) => this.#request(options.signal, use), bucket, prefix);
  }

  async removeVersions(bucket: string, versions: readonly Pick<ObjectVersion, 'key' | 'versionId'>[]): Promise<void> {
    await removeVersions(this.#client, (use) => this.#request(undefined, use), bucket, versions);
  }

  async ensureBucket(bucket: string, { publicRead }: { publicRead?: PublicRead } = {}): Promise<void> {
    await ensureBucket(this.#client, (use) => this.#request(undefined, use), bucket, this.#region, publicRead);
  }

  async signedUrl(
    bucket: string,
    key: string,
    seconds: number,
    { downloadAs }: SignedUrlOptions = {},
  ): Promise<string> {
    const answer = downloadAs === undefined ? undefined : { 'response-content-disposition': attachment(downloadAs) };
    return this.#signer.presignedGetObject(bucket, key, seconds, answer);
  }

  async signer(bucket: string, seconds: number, at: Date): Promise<(key: string) => string> {
    const any = '-';
    const signed = await this.#signer.presignedGetObject(bucket, any, seconds, {}, at);
    return signLike(signed, any, this.#secretKey);
  }

  publicUrl(bucket: string, key: string): string {
    return `${this.#publicUrl}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  }

  async abortUploads(bucket: string, prefix: string): Promise<void> {
    await abortUploads(this.#client, (use) => this.#request(undefined, use), bucket, prefix);
  }

  #get(bucket: string, key: string, options: ReadOptions, etag?: string): Promise<IncomingMessage> {
    return this.#client.makeRequestAsync({
      method: 'GET',
      bucketName: bucket,
      objectName: key,
      query: versionQuery(options),
      headers: etag ? { 'if-match': `"${etag}"` } : {},
    });
  }

  /** A version id that the store can't even parse is one that is not there. */
  async #reading<T>(options: ReadOptions, use: () => Promise<T>): Promise<T> {
    return this.#request(options.signal, () =>
      use().catch((error: NodeJS.ErrnoException) => {
        if (options.versionId && (error.code === 'InvalidArgument' || error.code === 'BadRequest')) {
          throw new MediaError('OBJECT_MISSING', undefined, { cause: error });
        }
        throw error;
      }),
    );
  }

  /** One short request, repeated once when the store gave way: a kept-alive connection may have been closed under it. */
  async #request<T>(signal: AbortSignal | undefined, use: () => Promise<T>): Promise<T> {
    return this.#mapped(signal, async () => {
      try {
        return await use();
      } catch (error) {
        const mapped = asStoreError(error);
        if (signal?.aborted || !MediaError.is(mapped) || mapped.code !== 'STORE_UNAVAILABLE') throw mapped;
        await sleep(RETRY_MS, undefined, { signal });
        return use();
      }
    });
  }

  async #mapped<T>(signal: AbortSignal | undefined, use: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await this.#transport.within(signal, use);
    } catch (error) {
      signal?.throwIfAborted();
      throw asStoreError(error);
    }
  }
}

export function createObjectStore(config: Config['storage']): ObjectStore {
  return new S3Store(config);
}
