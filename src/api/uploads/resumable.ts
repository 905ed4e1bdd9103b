/**
 * Uploads that go on after a break: parts of a multipart upload of the object itself. How far it is, and the state of its
 * SHA-256, stand in the upload's row with each part, so that any instance can go on; a tail that is no whole part waits
 * in the staging bucket. The object appears when all of it is there and is what was announced.
 */
import { randomUUID } from 'node:crypto';

import { createSHA256, type IHasher } from 'hash-wasm';

import { closeUpload, completeUpload, findUpload, saveProgress, type UploadRow } from '../../catalogue/uploads.js';
import { stagingPrefixOf } from '../../contracts/uploads.js';
import type { PartUpload, Written } from '../../storage/part-store.js';
import { inParts, streamPartBytes } from '../../storage/stream-upload.js';
import type { Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problems.js';
import { reserve } from './memory.js';
import { paced } from './paced.js';
import { judge, type ReceiveContext } from './receive.js';

interface Tail {
  /** In the staging bucket. */
  readonly key: string;
  readonly bytes: number;
}

export interface ResumableProgress {
  /** Bytes that are stored, the tail included. */
  readonly offset: number;
  /** The store's name of the multipart upload, once there is a part. */
  readonly multipart?: string | undefined;
  /** Of the parts, in order. */
  readonly etags: readonly string[];
  readonly tail?: Tail | undefined;
  /** State of the SHA-256 of all that is stored; Base64. */
  readonly hash?: string | undefined;
}

export const progressOf = ({ progress }: UploadRow): ResumableProgress => ({ offset: 0, etags: [], ...progress });

/**
 * The caller's own.
 *
 * @throws ApiProblem `upload-unknown`
 */
export async function findResumable(
  { db }: Pick<ApiContext, 'db'>,
  { tenant }: Caller,
  id: string,
): Promise<UploadRow> {
  const row = await findUpload(db, id);
  if (row?.tenant !== tenant || row.kind !== 'tus') throw new ApiProblem('upload-unknown');
  return row;
}

/** Somebody else wrote to it meanwhile, or ended it. */
const overtaken = (): ApiProblem => new ApiProblem('upload-locked', { retryAfter: 1 });

/**
 * Writes what comes behind what is there. Of a stream that breaks, what has come is kept. With the last byte the upload is
 * complete.
 *
 * @param upload as it is in the catalogue, locked by the caller
 * @returns the new offset
 * @throws ApiProblem `checksum-mismatch` (the upload has failed then), `upload-locked`, `overloaded`, `request-timeout`;
 *   MediaError STORE_UNAVAILABLE, CATALOGUE_UNAVAILABLE; and what the stream fails with
 */
export async function appendTo(
  context: ReceiveContext,
  upload: UploadRow,
  stream: AsyncIterable<Uint8Array>,
): Promise<number> {
  const size = sizeOf(upload);
  const partBytes = streamPartBytes(size);
  const release = reserve(partBytes, size);
  try {
    const writer = new Writer(context, upload, await hasherOf(progressOf(upload)));
    const broken = await writer.write(stream, partBytes);
    if (writer.progress.offset === size)
      await finishResumable(context, { ...upload, progress: { ...writer.progress } });
    else if (broken) throw broken.error;
    return writer.progress.offset;
  } finally {
    release();
  }
}

const sizeOf = ({ size, id }: UploadRow): number => {
  if (size === null) throw new TypeError(`the upload ${id} has no size`);
  return size;
};

async function hasherOf({ hash }: ResumableProgress): Promise<IHasher> {
  const hasher = await createSHA256();
  return hash === undefined ? hasher.init() : hasher.init().load(Buffer.from(hash, 'base64'));
}

class Writer {
  progress: ResumableProgress;

  constructor(
    private readonly context: ReceiveContext,
    private readonly upload: UploadRow,
    private readonly hasher: IHasher,
  ) {
    this.progress = progressOf(upload);
  }

  /** @returns why it ended too early, when all that came is stored */
  async write(stream: AsyncIterable<Uint8Array>, partBytes: number): Promise<{ error: unknown } | undefined> {
    const { config, store } = this.context;
    const { tail } = this.progress;
    // Of the bytes that come by here, so many have been counted before.
    let known = tail?.bytes ?? 0;
    let broken: { error: unknown } | undefined;
    const count = (bytes: Buffer): number => {
      const fresh = bytes.subarray(Math.min(known, bytes.length));
      known -= bytes.length - fresh.length;
      if (fresh.length > 0) this.hasher.update(fresh);
      return fresh.length;
    };
    async function* source(): AsyncGenerator<Uint8Array> {
      if (tail) yield await store.read(config.storage.stagingBucket, tail.key);
      try {
        yield* paced(stream, config.http.slowUploadSeconds);
      } catch (error) {
        broken = { error };
      }
    }
    const rest = await inParts(source(), partBytes, async (part) => this.#addPart(part, count(part)));
    const fresh = count(rest);
    if (rest.length > 0 && fresh > 0) {
      const isLast = this.progress.offset + fresh === sizeOf(this.upload) && this.progress.multipart !== undefined;
      await (isLast ? this.#addPart(rest, fresh) : this.#keepTail(rest, fresh));
    }
    return broken;
  }

  async #addPart(part: Buffer, fresh: number): Promise<void> {
    const { store } = this.context;
    const { bucket, key, contentType } = this.upload;
    const { offset, etags, multipart } = this.progress;
    const target: PartUpload = multipart
      ? { bucket, key, uploadId: multipart }
      : await store.parts.begin(bucket, key, { contentType: contentType ?? 'application/octet-stream' });
    const etag = await store.parts.send(target, etags.length + 1, part);
    const more = { offset: offset + fresh, etags: [...etags, etag], multipart: target.uploadId };
    await this.#save({ ...more, tail: undefined, hash: this.#hashState() });
  }

  async #keepTail(bytes: Buffer, fresh: number): Promise<void> {
    const { config, store } = this.context;
    const offset = this.progress.offset + fresh;
    // A name of its own: whoever is overtaken overwrites nothing.
    const key = `${stagingPrefixOf(this.upload.id)}${offset}-${randomUUID().slice(0, 8)}`;
    await store.putBytes(config.storage.stagingBucket, key, bytes, { contentType: 'application/octet-stream' });
    await this.#save({ ...this.progress, offset, tail: { key, bytes: bytes.length }, hash: this.#hashState() });
  }

  #hashState(): string {
    return Buffer.from(this.hasher.save()).toString('base64');
  }

  async #save(progress: ResumableProgress): Promise<void> {
    const { config, db, store } = this.context;
    const before = this.progress;
    if (!(await saveProgress(db, this.upload.id, before.offset, progress))) throw overtaken();
    this.progress = progress;
    if (before.tail) await store.remove(config.storage.stagingBucket, [before.tail.key]);
  }
}

/**
 * Checks what is there against what was announced and completes the upload. Safe to repeat: a server that died in
 * between has left everything that it needs.
 *
 * @returns the asset's id
 */
export async function finishResumable(context: ReceiveContext, upload: UploadRow): Promise<string> {
  const { db, logger, store, config } = context;
  const progress = progressOf(upload);
  const sha256 = (await hasherOf(progress)).digest('hex');
  try {
    judge(upload, progress.offset, sha256);
  } catch (error) {
    await closeUpload(db, upload.id, 'failed');
    await discardResumable(context, upload);
    throw error;
  }
  const written = await appear(context, upload, progress);
  const done = await completeUpload(db, upload.id, { ...written, bytes: progress.offset, sha256 });
  if (done.outcome === 'closed') throw new ApiProblem('upload-expired');
  context.wake();
  if (progress.tail) await store.remove(config.storage.stagingBucket, [progress.tail.key]);
  const { assetId } = done.job;
  logger.debug('upload received', { uploadId: upload.id, assetId, bytes: progress.offset });
  return assetId;
}

async function appear(
  { store, config }: ReceiveContext,
  upload: UploadRow,
  progress: ResumableProgress,
): Promise<Written> {
  const { bucket, key, contentType } = upload;
  const { multipart, etags, tail } = progress;
  if (multipart !== undefined) {
    const parts = etags.map((etag, index) => ({ number: index + 1, etag }));
    return store.parts.finish({ bucket, key, uploadId: multipart }, parts);
  }
  // Less than one part.
  const bytes = await store.read(config.storage.stagingBucket, tail!.key);
  return store.parts.put(bucket, key, bytes, { contentType: contentType ?? 'application/octet-stream' });
}

/** Judges again what has failed: all that it takes was kept. @returns undefined of one that has not */
export async function whyFailed(upload: UploadRow): Promise<ApiProblem | undefined> {
  if (upload.state !== 'failed') return undefined;
  const progress = progressOf(upload);
  try {
    judge(upload, progress.offset, (await hasherOf(progress)).digest('hex'));
  } catch (error) {
    if (ApiProblem.is(error)) return error;
    throw error;
  }
  return undefined;
}

/** Gives an upload up and removes what was stored of it. Idempotent. */
export async function cancelResumable(context: ReceiveContext, upload: UploadRow): Promise<void> {
  await closeUpload(context.db, upload.id, 'cancelled');
  await discardResumable(context, upload);
}

async function discardResumable({ store, config }: ReceiveContext, upload: UploadRow): Promise<void> {
  const { bucket, key, id } = upload;
  const { multipart } = progressOf(upload);
  if (multipart !== undefined) await store.parts.abort({ bucket, key, uploadId: multipart });
  await store.removePrefix(config.storage.stagingBucket, stagingPrefixOf(id));
}
