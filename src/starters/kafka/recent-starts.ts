/** What this process has started lately, so that the second announcement of an upload costs nothing (ADR 0007). */
import type { SourceRef } from '../../contracts/assets.js';
import type { UploadEvent } from '../../contracts/events.js';

/** Both announcements come within seconds and, by their common key, from one partition: to one process. */
const CAPACITY = 10_000;

export class RecentStarts {
  readonly #known = new Set<string>();

  /** Only an event that names the version of its bytes can be known. */
  has(upload: UploadEvent): boolean {
    const id = idOf(upload);
    return id !== undefined && this.#known.has(id);
  }

  /** @param source what the store says the object is: an event for other bytes than these proves nothing. */
  add(upload: UploadEvent, source: SourceRef): void {
    const id = idOf(upload);
    if (id === undefined || id !== idOf(source)) return;
    // Oldest first.
    if (this.#known.size >= CAPACITY) this.#known.delete(this.#known.values().next().value!);
    this.#known.add(id);
  }
}

function idOf({ bucket, key, versionId, etag }: UploadEvent | SourceRef): string | undefined {
  const version = (versionId === 'null' ? undefined : versionId) || etag?.replaceAll('"', '');
  return version ? JSON.stringify([bucket, key, version]) : undefined;
}
