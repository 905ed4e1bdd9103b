/** Puts finished variants into the media bucket. */
import { outputPrefix, type Job } from '../../contracts/assets.js';
import type { Rendition } from '../../contracts/renditions.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { IMMUTABLE } from '../cache-control.js';
import type { FinishedVariant } from './make-variants.js';

/** Repeating it writes the same keys. */
export async function uploadVariants(
  store: ObjectStore,
  bucket: string,
  job: Job,
  finished: readonly FinishedVariant[],
  signal: AbortSignal,
): Promise<Rendition[]> {
  return Promise.all(
    finished.map(async ({ variant, bytes }) => {
      const { name, type, width, height, format } = variant;
      const key = imageKey(job, name);
      const mime = `image/${format}`;
      await store.putBytes(bucket, key, bytes, { contentType: mime, cacheControl: IMMUTABLE, signal });
      return { name, type, key, mime, width, height, bytes: bytes.length };
    }),
  );
}

export function imageKey(job: Job, name: string): string {
  return `${outputPrefix(job.assetId, job.generation)}images/${name}`;
}
