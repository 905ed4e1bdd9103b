/** Parts of sources that many steps need, kept in memory: an index of 25 MB is fetched once, not for each of 600 chunks. */
import type { SourceRef } from '../contracts/assets.js';
import { assetIdOf } from '../contracts/ids.js';
import { untilAborted } from './abort.js';
import type { ObjectStore } from './object-store.js';

export class SourceParts {
  /** In the order of last use: the first one goes first. */
  readonly #parts = new Map<string, { readonly bytes: Promise<Buffer>; readonly length: number }>();
  readonly #budget: number;
  #total = 0;

  /** @param budget bytes that may be kept */
  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Fewer bytes where the object ends before. Whoever asks for the same bytes at the same time shares one request. */
  async read(
    source: SourceRef,
    store: ObjectStore,
    offset: number,
    length: number,
    signal: AbortSignal | undefined,
  ): Promise<Buffer> {
    signal?.throwIfAborted();
    const id = `${assetIdOf(source)}-${offset}-${length}`;
    const part = this.#parts.get(id) ?? this.#start(source, store, offset, length);
    this.#forget(id);
    this.#parts.set(id, part);
    this.#total += part.length;
    // Whoever waits sees the failure; whoever comes later tries again.
    part.bytes.catch(() => this.#parts.get(id) === part && this.#forget(id));
    for (const oldest of this.#parts.keys()) {
      if (this.#total <= this.#budget || oldest === id) break;
      this.#forget(oldest);
    }
    return untilAborted(part.bytes, signal);
  }

  #start({ bucket, key, versionId, etag }: SourceRef, store: ObjectStore, offset: number, length: number) {
    return { bytes: store.readRange(bucket, key, offset, length, { versionId, etag }), length };
  }

  #forget(id: string): void {
    this.#total -= this.#parts.get(id)?.length ?? 0;
    this.#parts.delete(id);
  }
}
