/** Puts finished variants into the media bucket. */
import { outputPrefix, type Job } from '../../contracts/assets.js';
import { imageUri } from '../../contracts/image.js';
import type { Rendition } from '../../contracts/renditions.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { IMMUTABLE } from '../cache-control.js';
import type { FinishedVariant } from './make-variants.js';

/** Where they go. */
export interface Shelf {
  readonly store: Pick<ObjectStore, 'putBytes'>;
  readonly bucket: string;
  readonly job: Job;
}

/** Repeating it writes the same keys. */
export async function uploadVariants(
  shelf: Shelf,
  finished: readonly FinishedVariant[],
  signal: AbortSignal,
): Promise<Rendition[]> {
  const uploads = new Uploads(shelf, signal);
  for (const one of finished) uploads.add(one);
  return uploads.all();
}

/** Uploads that run beside whatever makes the next variants. To be ended by `all` or `abandon`. */
export class Uploads {
  private readonly stop = new AbortController();
  private readonly running: Promise<Rendition>[] = [];
  private readonly signal: AbortSignal;

  constructor(
    private readonly shelf: Shelf,
    signal: AbortSignal,
  ) {
    this.signal = AbortSignal.any([signal, this.stop.signal]);
  }

  add(finished: FinishedVariant): void {
    const upload = this.put(finished);
    // Heard by `all`.
    upload.catch(() => undefined);
    this.running.push(upload);
  }

  /** @returns in the order of their adding. When one fails, the others are stopped and waited for. */
  async all(): Promise<Rendition[]> {
    try {
      return await Promise.all(this.running);
    } catch (error) {
      await this.abandon(error);
      throw error;
    }
  }

  /** Returns when nothing is written any more: what is done next may be removing it. */
  async abandon(reason: unknown): Promise<void> {
    this.stop.abort(reason);
    await Promise.allSettled(this.running);
  }

  private async put({ variant, bytes }: FinishedVariant): Promise<Rendition> {
    const { store, bucket, job } = this.shelf;
    const { name, type, width, height, format } = variant;
    const key = imageKey(job, name);
    const mime = `image/${format}`;
    await store.putBytes(bucket, key, bytes, { contentType: mime, cacheControl: IMMUTABLE, signal: this.signal });
    return { name, type, key, mime, width, height, bytes: bytes.length };
  }
}

export function imageKey(job: Pick<Job, 'assetId' | 'generation'>, name: string): string {
  return outputPrefix(job.assetId, job.generation) + imageUri(name);
}
