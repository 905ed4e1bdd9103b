/** Brings an uploaded image into a folder, and names its bytes. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { ActivityContext } from '../context.js';

/**
 * @param dir an empty folder; the file is then called as named
 * @returns the SHA-256 of the bytes, hexadecimal; undefined when it is too large for an image, but might yet be a video
 *   that was taken for one
 * @throws MediaError OBJECT_IS_DIRECTORY, OBJECT_GONE, LIMIT_BYTES
 */
export async function fetchSource(
  { config, store }: Pick<ActivityContext, 'config' | 'store'>,
  job: Job,
  dir: string,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { bucket, key, versionId, etag } = job.source;
  if (key.endsWith('/')) throw new MediaError('OBJECT_IS_DIRECTORY');
  const maxBytes = config.limits.maxImageMiB * 1024 ** 2;
  const hash = createHash('sha256');
  const onBytes = (bytes: Uint8Array): void => void hash.update(bytes);
  try {
    await store.download(bucket, key, join(dir, name), { versionId, etag, maxBytes, onBytes, signal });
    return hash.digest('hex');
  } catch (error) {
    if (MediaError.is(error) && error.code === 'LIMIT_BYTES' && !job.corrected) return undefined;
    throw error;
  }
}
