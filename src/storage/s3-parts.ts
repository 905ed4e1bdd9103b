/** Uploads in parts and by others on any S3 endpoint, through the `minio` client. */
import type { Client } from 'minio';
import { presignSignatureV4 } from 'minio/dist/esm/signing.mjs';

import type { Config } from '../config/index.js';
import { MediaError } from '../contracts/errors.js';
import type { ObjectStat, WriteOptions } from './object-store.js';
import type { Part, PartStore, PartUpload, Written } from './part-store.js';
import { headersOf } from './s3-headers.js';

export interface PartsContext {
  readonly client: Client;
  /** Signs for the address that others use: the host is part of the signature. */
  readonly signer: Client;
  readonly credentials: Pick<Config['storage'], 'accessKey' | 'secretKey' | 'region'>;
  /** Runs one request, repeated once when the store gave way. */
  readonly request: <T>(signal: AbortSignal | undefined, use: () => Promise<T>) => Promise<T>;
  readonly stat: (bucket: string, key: string) => Promise<ObjectStat>;
}

/** The client leaves these out of signatures by their names in lower case, in which browsers could not send others. */
const SIGNED_NAMES: Readonly<Record<string, string>> = {
  'content-length': 'Content-Length',
  'content-type': 'Content-Type',
};

const isMissing = (error: unknown): boolean => MediaError.is(error) && error.code === 'OBJECT_MISSING';

export class S3Parts implements PartStore {
  constructor(private readonly context: PartsContext) {}

  async put(bucket: string, key: string, bytes: Buffer, options: WriteOptions): Promise<Written> {
    const { client, request } = this.context;
    const target = { method: 'PUT', bucketName: bucket, objectName: key };
    const { headers } = await request(options.signal, () =>
      client.makeRequestAsyncOmit({ ...target, headers: headersOf(options) }, bytes),
    );
    const versionId = headers['x-amz-version-id'];
    return {
      etag: (headers.etag ?? '').replaceAll('"', ''),
      versionId: versionId === undefined ? undefined : String(versionId),
    };
  }

  async begin(bucket: string, key: string, options: WriteOptions): Promise<PartUpload> {
    const { client, request } = this.context;
    const uploadId = await request(options.signal, () =>
      client.initiateNewMultipartUpload(bucket, key, headersOf(options)),
    );
    return { bucket, key, uploadId };
  }

  async send({ bucket, key, uploadId }: PartUpload, number: number, bytes: Buffer, signal?: AbortSignal) {
    const { client, request } = this.context;
    const target = { bucketName: bucket, objectName: key, uploadID: uploadId, partNumber: number };
    const { etag } = await request(signal, () => client.uploadPart({ ...target, headers: {} }, bytes));
    return etag;
  }

  async list({ bucket, key, uploadId }: PartUpload): Promise<Part[]> {
    const { client, request } = this.context;
    // It reads all pages. Only its types keep it to subclasses.
    const parts = await request(undefined, () => client['listParts'](bucket, key, uploadId));
    return parts.map(({ part, etag, size }) => ({ number: part, etag, bytes: size }));
  }

  async finish(upload: PartUpload, parts: readonly Pick<Part, 'number' | 'etag'>[]): Promise<Written> {
    const { client, request, stat } = this.context;
    const { bucket, key, uploadId } = upload;
    const etags = parts.map(({ number, etag }) => ({ part: number, etag }));
    try {
      const { etag, versionId } = await request(undefined, () =>
        client.completeMultipartUpload(bucket, key, uploadId, etags),
      );
      return { etag, versionId: versionId ?? undefined };
    } catch (error) {
      // It was finished before, and that answer got lost.
      const there = isMissing(error) ? await stat(bucket, key).catch(() => undefined) : undefined;
      if (!there) throw error;
      return { etag: there.etag, versionId: there.versionId };
    }
  }

  async abort({ bucket, key, uploadId }: PartUpload): Promise<void> {
    const { client, request } = this.context;
    await request(undefined, () => client.abortMultipartUpload(bucket, key, uploadId)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }

  async abortAll(bucket: string, key: string): Promise<void> {
    const { client, request } = this.context;
    const { uploads } = await request(undefined, () => client.listIncompleteUploadsQuery(bucket, key, '', '', ''));
    for (const upload of uploads) {
      if (String(upload.key) === key) await this.abort({ bucket, key, uploadId: String(upload.uploadId) });
    }
  }

  async checksum(bucket: string, key: string): Promise<string | undefined> {
    const { client, request } = this.context;
    const target = { method: 'HEAD', bucketName: bucket, objectName: key };
    const { headers } = await request(undefined, () =>
      client.makeRequestAsyncOmit({ ...target, headers: { 'x-amz-checksum-mode': 'ENABLED' } }),
    );
    const checksum = String(headers['x-amz-checksum-sha256'] ?? '');
    // Of an upload in parts it is one of checksums, with the number of parts behind it.
    return /^[A-Za-z0-9+/]{43}=$/.test(checksum) ? Buffer.from(checksum, 'base64').toString('hex') : undefined;
  }

  async signPut(bucket: string, key: string, seconds: number, headers: Readonly<Record<string, string>>) {
    const { signer, credentials } = this.context;
    const { protocol, pathname, host } = new URL(await signer.presignedPutObject(bucket, key, seconds));
    const named = Object.entries(headers).map(([name, value]) => [SIGNED_NAMES[name] ?? name, value] as const);
    const request = { method: 'PUT', protocol, path: pathname, headers: { ...Object.fromEntries(named), host } };
    const { accessKey, secretKey, region } = credentials;
    return presignSignatureV4(request, accessKey, secretKey, undefined, region, new Date(), seconds);
  }

  async signPart({ bucket, key, uploadId }: PartUpload, number: number, seconds: number): Promise<string> {
    return this.context.signer.presignedUrl('PUT', bucket, key, seconds, { uploadId, partNumber: String(number) });
  }
}
