/** A stream into one object: in one request while it is short, else in parts. */
import type { WriteOptions } from './object-store.js';
import { MAX_PARTS, type PartStore, type PartUpload, type Written } from './part-store.js';

const MIB = 1024 * 1024;
const PART_BYTES = 8 * MIB;

/** @param bytes what there may be at most */
export const streamPartBytes = (bytes: number): number =>
  Math.max(PART_BYTES, Math.ceil(bytes / MAX_PARTS / MIB) * MIB);

export interface StreamOptions extends WriteOptions {
  /** Bytes; at least `MIN_PART_BYTES`. Two of them are in memory at a time. */
  readonly partBytes: number;
  /** With the number of bytes, when the stream has ended and before the object appears: rejecting, it never does. */
  readonly check: (bytes: number) => void | Promise<void>;
}

/** Whole or not at all. Rejects with what the source or `check` rejects with; errors of the store as of `ObjectStore`. */
export async function putStream(
  store: PartStore,
  bucket: string,
  key: string,
  source: AsyncIterable<Uint8Array>,
  options: StreamOptions,
): Promise<Written & { readonly bytes: number }> {
  const { partBytes, check, ...write } = options;
  let upload: PartUpload | undefined;
  let bytes = 0;
  const etags: string[] = [];
  /** The part that is on its way while the next one is being filled. */
  let sending: Promise<void> | undefined;

  const send = async (part: Buffer): Promise<void> => {
    await sending;
    upload ??= await store.begin(bucket, key, write);
    const target = upload;
    const number = etags.push('');
    sending = store.send(target, number, part, write.signal).then((etag) => void (etags[number - 1] = etag));
    // Waited for before the next one; until then nobody listens.
    sending.catch(() => undefined);
  };

  try {
    const rest = await inParts(source, partBytes, async (part) => {
      bytes += part.length;
      await send(part);
    });
    bytes += rest.length;
    if (!upload) {
      await check(bytes);
      return { ...(await store.put(bucket, key, rest, write)), bytes };
    }
    if (rest.length > 0) await send(rest);
    await sending;
    await check(bytes);
    const parts = etags.map((etag, index) => ({ number: index + 1, etag }));
    return { ...(await store.finish(upload, parts)), bytes };
  } catch (error) {
    await sending?.catch(() => undefined);
    // When this fails too, whoever forgets the upload removes its parts; the first error is the one to report.
    if (upload) await store.abort(upload).catch(() => undefined);
    throw error;
  }
}

/**
 * Cuts a stream into parts of exactly `partBytes`.
 *
 * @returns what is left at the end, shorter than a part
 */
export async function inParts(
  source: AsyncIterable<Uint8Array>,
  partBytes: number,
  use: (part: Buffer) => Promise<void>,
): Promise<Buffer> {
  let pieces: Uint8Array[] = [];
  let held = 0;
  for await (const piece of source) {
    let from = 0;
    while (held + piece.length - from >= partBytes) {
      const until = from + partBytes - held;
      const part = Buffer.concat([...pieces, piece.subarray(from, until)], partBytes);
      pieces = [];
      held = 0;
      from = until;
      await use(part);
    }
    if (from < piece.length) {
      pieces.push(piece.subarray(from));
      held += piece.length - from;
    }
  }
  return Buffer.concat(pieces, held);
}
