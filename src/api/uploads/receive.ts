/** One upload in one stream: what HTTP bodies, gRPC streams, fetched URLs and the old image service have in common. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

import { closeUpload, completeUpload, type UploadRow } from '../../catalogue/uploads.js';
import { MediaError } from '../../contracts/errors.js';
import { putStream, streamPartBytes } from '../../storage/stream-upload.js';
import type { Written } from '../../storage/part-store.js';
import type { Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problems.js';
import { beyondBytes } from '../quotas.js';
import { maxUploadBytes, tooLarge, type UploadFacts } from './facts.js';
import { openUpload, type OpenUpload } from './open.js';
import { paced } from './paced.js';
import { reserve } from './memory.js';

export interface Received {
  readonly uploadId: string;
  readonly assetId: string;
  readonly bytes: number;
  /** Of the bytes, 64 hexadecimal digits. */
  readonly sha256: string;
}

export type ReceiveContext = Pick<ApiContext, 'config' | 'logger' | 'db' | 'store' | 'wake'>;

/**
 * Streams bytes into the store while they come; nothing is ever buffered whole. The object appears only when size and
 * SHA-256 are what the uploader announced: a stream that breaks, lies or is too large leaves nothing behind. When it
 * resolves, the asset has a row in state `received` and its event is on its way. The stream is read to its end, or
 * destroyed.
 *
 * @throws ApiProblem `invalid-request`, `forbidden`, `too-large`, `checksum-mismatch`, `quota-exceeded`,
 *   `request-timeout`, `overloaded`
 * @throws MediaError STORE_UNAVAILABLE, CATALOGUE_UNAVAILABLE
 */
export async function receiveStream(
  context: ReceiveContext,
  caller: Caller,
  facts: UploadFacts,
  stream: Readable,
  signal?: AbortSignal,
): Promise<Received> {
  // Until it is read, nobody listens; what breaks it meanwhile is met when it is.
  stream.on('error', () => undefined);
  try {
    const opened = await openUpload(context, caller, facts);
    return await receive(context, caller, opened, stream, signal);
  } finally {
    stream.destroy();
  }
}

async function receive(
  context: ReceiveContext,
  caller: Caller,
  { upload, maxBytes }: OpenUpload,
  stream: Readable,
  signal: AbortSignal | undefined,
): Promise<Received> {
  const { config, db, logger } = context;
  const hash = createHash('sha256');
  let written: Written & { readonly bytes: number };
  let sha256 = '';
  let release = (): void => undefined;
  try {
    release = reserve(streamPartBytes(maxBytes), upload.size ?? Infinity);
    const source = counted(paced(stream, config.http.slowUploadSeconds), maxBytes, () =>
      beyond(context, caller, upload),
    );
    written = await putStream(context.store.parts, upload.bucket, upload.key, hashed(source, hash), {
      contentType: upload.contentType ?? 'application/octet-stream',
      partBytes: streamPartBytes(maxBytes),
      signal,
      check(bytes) {
        sha256 = hash.digest('hex');
        judge(upload, bytes, sha256);
      },
    });
  } catch (error) {
    const outage = MediaError.is(error) ? { code: error.code, message: error.message } : undefined;
    // When this fails too, its time runs out; the first error is the one to report.
    await closeUpload(db, upload.id, 'failed', outage).catch((late: unknown) => {
      logger.warn('an upload that failed stays open until it expires', { uploadId: upload.id, error: late });
    });
    throw error;
  } finally {
    release();
  }
  // From here on the object is there: whatever happens, the upload stays open until it is complete.
  const done = await completeUpload(db, upload.id, { ...written, sha256 });
  if (done.outcome === 'closed') throw new ApiProblem('upload-expired');
  context.wake();
  const { assetId } = done.job;
  logger.debug('upload received', { uploadId: upload.id, assetId, bytes: written.bytes });
  return { uploadId: upload.id, assetId, bytes: written.bytes, sha256 };
}

/** @throws ApiProblem when the bytes are not those that were announced */
export function judge({ size, sha256 }: Pick<UploadRow, 'size' | 'sha256'>, bytes: number, actual: string): void {
  if (bytes === 0) throw new ApiProblem('invalid-request', { detail: 'The file is empty.' });
  if (size !== null && bytes !== size) {
    throw new ApiProblem('checksum-mismatch', { detail: `${size} bytes were announced, ${bytes} came.` });
  }
  if (sha256 !== null && sha256 !== actual) {
    throw new ApiProblem('checksum-mismatch', { detail: `Their SHA-256 is ${actual}.` });
  }
}

/** Which of the bounds it went beyond. */
function beyond({ config }: ReceiveContext, { limits }: Caller, { size }: UploadRow): ApiProblem {
  if (size !== null) {
    return new ApiProblem('checksum-mismatch', { detail: `${size} bytes were announced, more came.` });
  }
  const { bytesPerDay = 0 } = limits;
  return bytesPerDay > 0 && bytesPerDay < maxUploadBytes(config) ? beyondBytes(bytesPerDay) : tooLarge(config);
}

async function* counted(source: AsyncIterable<Uint8Array>, most: number, beyondIt: () => Error) {
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.length;
    if (bytes > most) throw beyondIt();
    yield piece;
  }
}

async function* hashed(source: AsyncIterable<Uint8Array>, hash: { update(piece: Uint8Array): unknown }) {
  for await (const piece of source) {
    hash.update(piece);
    yield piece;
  }
}
