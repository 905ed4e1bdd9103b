/** A file with the size of an object and some of its bytes; the rest are holes, which take no space and read as zeros. */
import { open, type FileHandle } from 'node:fs/promises';
import pLimit from 'p-limit';
import type { SourceRef } from '../contracts/assets.js';
import { MediaError } from '../contracts/errors.js';
import type { ObjectStore } from './object-store.js';

/** One request. Small enough that the memory of all that run at once is small too. */
const PIECE_BYTES = 4 * 1024 ** 2;
const AT_ONCE = 6;

export interface Slice {
  /** Size of the whole object. */
  readonly bytes: number;
  /** Bytes to fetch: `from` up to, not including, `to`. */
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
  /** Bytes that are at hand already. */
  readonly known: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
}

export interface SliceOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

/**
 * @param path must not exist yet
 * @throws MediaError OBJECT_GONE when the object is another one by now; those of `ObjectStore.readRange`
 */
export async function writeSlice(
  source: SourceRef,
  store: ObjectStore,
  path: string,
  { bytes, ranges, known }: Slice,
  { signal, onProgress }: SliceOptions,
): Promise<void> {
  const file = await open(path, 'wx');
  const stop = new AbortController();
  const limit = pLimit(AT_ONCE);
  const pieces = ranges.flatMap(piecesOf);
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  let done = 0;
  const fetchPiece = async ({ offset, length }: Piece): Promise<void> => {
    const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    either.throwIfAborted();
    const { bucket, key, versionId, etag } = source;
    const part = await store.readRange(bucket, key, offset, length, { versionId, etag, signal: either });
    if (part.length < length) throw new MediaError('STORE_UNAVAILABLE', 'It sent less than the object holds.');
    await writeAll(file, part, offset);
    done += length;
    onProgress?.(done, total);
  };
  try {
    // For everybody: decoders may run as another user. Who may not see it is kept out by the folder (0700).
    await file.chmod(0o444);
    await file.truncate(bytes);
    for (const { offset, bytes: part } of known) await writeAll(file, part, offset);
    const running = pieces.map((piece) => limit(fetchPiece, piece));
    try {
      await Promise.all(running);
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(running);
      throw error;
    }
  } finally {
    await file.close();
  }
}

interface Piece {
  readonly offset: number;
  readonly length: number;
}

function piecesOf({ from, to }: Slice['ranges'][number]): Piece[] {
  return Array.from({ length: Math.ceil((to - from) / PIECE_BYTES) }, (_, index) => {
    const offset = from + index * PIECE_BYTES;
    return { offset, length: Math.min(PIECE_BYTES, to - offset) };
  });
}

async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += (await file.write(bytes, at, bytes.length - at, offset + at)).bytesWritten;
  }
}
