/** The body of an object into a file. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MediaError } from '../contracts/errors.js';
import type { DownloadOptions } from './object-store.js';

/**
 * By way of a neighbour with another name: whole or not at all.
 *
 * @param total bytes that the store promised; with fewer, STORE_UNAVAILABLE
 */
export async function save(
  body: IncomingMessage,
  path: string,
  total: number,
  options: DownloadOptions,
): Promise<void> {
  const part = `${path}.${randomUUID()}.part`;
  let bytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      options.onBytes?.(chunk);
      options.onProgress?.(bytes, total);
      done(null, chunk);
    },
  });
  try {
    await pipeline(body, meter, createWriteStream(part, { flags: 'wx' }), { signal: options.signal });
    if (bytes !== total) throw new MediaError('STORE_UNAVAILABLE');
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
