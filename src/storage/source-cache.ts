/**
 * Downloaded sources, shared by the jobs of one process. While one job downloads, others that ask for
 * the same source wait for it; what nobody uses is kept for the next step of its asset, within a budget.
 */
import { randomUUID } from 'node:crypto';
import { chmod, link, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceRef } from '../contracts/assets.js';
import { assetIdOf } from '../contracts/ids.js';
import { untilAborted } from './abort.js';
import type { ObjectStore } from './object-store.js';

type Progress = (bytes: number, total: number) => void;

export interface SourceOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: Progress | undefined;
  /** More than this many bytes: LIMIT_BYTES. */
  readonly maxBytes?: number | undefined;
}

export interface SourceFile {
  /** Shared with other jobs: read only. */
  readonly path: string;
  readonly bytes: number;
  /**
   * A second name of the file inside a job's folder, for tools that see nothing else. Costs no space. Returns its path.
   * It is the same file: tools must be kept from changing it (`ToolRun.readOnlyFiles`).
   */
  linkInto(dir: string, name: string): Promise<string>;
  /**
   * Must be called once the job no longer needs `path`. More often does no harm.
   *
   * @param next whether another step of the same asset is to be expected: default true. Without one
   *   the file goes as soon as nobody uses it.
   */
  release(next?: boolean): Promise<void>;
}

interface Entry {
  readonly path: string;
  readonly download: Promise<number>;
  readonly cancel: AbortController;
  readonly listeners: Set<Progress>;
  users: number;
  bytes: number;
  /** Worth keeping when nobody uses it. */
  wanted: boolean;
}

export class SourceCache {
  /** In the order of last use: the first idle one goes first. */
  readonly #entries = new Map<string, Entry>();
  readonly #dir: string;
  readonly #budget: number;

  /** @param budget bytes that may be kept unused */
  constructor(dir: string, budget: number) {
    this.#dir = dir;
    this.#budget = budget;
  }

  async take(source: SourceRef, store: ObjectStore, options: SourceOptions): Promise<SourceFile> {
    options.signal?.throwIfAborted();
    const id = idOf(source, options);
    const entry = this.#entries.get(id) ?? this.#start(id, source, store, options.maxBytes);
    entry.users += 1;
    if (options.onProgress) entry.listeners.add(options.onProgress);
    try {
      await untilAborted(entry.download, options.signal);
    } catch (error) {
      await this.#release(id, entry, options.signal?.aborted ? options.signal.reason : undefined);
      throw error;
    } finally {
      if (options.onProgress) entry.listeners.delete(options.onProgress);
    }
    let held = true;
    return {
      path: entry.path,
      bytes: entry.bytes,
      async linkInto(dir, name) {
        await link(entry.path, join(dir, name));
        return join(dir, name);
      },
      release: async (next = true) => {
        if (held) {
          held = false;
          entry.wanted = next;
          await this.#release(id, entry);
        }
      },
    };
  }

  /** Whether it is here as a whole. */
  has(source: SourceRef, options: Pick<SourceOptions, 'maxBytes'>): boolean {
    return (this.#entries.get(idOf(source, options))?.bytes ?? 0) > 0;
  }

  /** Removes the unused source that was used longest ago. @returns false when all are in use */
  async evictOne(): Promise<boolean> {
    for (const [id, entry] of this.#entries) {
      if (entry.users > 0) continue;
      this.#entries.delete(id);
      await rm(entry.path, { force: true });
      return true;
    }
    return false;
  }

  #start(id: string, source: SourceRef, store: ObjectStore, maxBytes: number | undefined): Entry {
    const cancel = new AbortController();
    const listeners = new Set<Progress>();
    // A name of its own: an evicted file of the same source may not be gone yet.
    const path = join(this.#dir, `source-${randomUUID()}`);
    const { bucket, key, versionId, etag } = source;
    const onProgress: Progress = (bytes, total) => listeners.forEach((listener) => listener(bytes, total));
    const download = store
      .download(bucket, key, path, { versionId, etag, maxBytes, onProgress, signal: cancel.signal })
      .then(async ({ bytes }) => {
        // For everybody: decoders may run as another user. Who may not see it is kept out by the folder (0700).
        await chmod(path, 0o444);
        return (entry.bytes = bytes);
      });
    const entry: Entry = { path, download, cancel, listeners, users: 0, bytes: 0, wanted: true };
    this.#entries.set(id, entry);
    // Whoever waits sees the failure; whoever comes later tries again.
    download.catch(() => this.#forget(id, entry));
    return entry;
  }

  #forget(id: string, entry: Entry): void {
    if (this.#entries.get(id) === entry) this.#entries.delete(id);
  }

  async #release(id: string, entry: Entry, cancelled?: unknown): Promise<void> {
    entry.users -= 1;
    if (entry.users > 0 || this.#entries.get(id) !== entry) return;
    if (entry.bytes === 0 && cancelled !== undefined) {
      this.#forget(id, entry);
      entry.cancel.abort(cancelled);
      // Ends once the partial file is removed.
      await entry.download.catch(() => undefined);
      await rm(entry.path, { force: true });
      return;
    }
    this.#entries.delete(id);
    if (!entry.wanted) return rm(entry.path, { force: true });
    this.#entries.set(id, entry);
    while (this.#idleBytes() > this.#budget && (await this.evictOne()));
  }

  #idleBytes(): number {
    return [...this.#entries.values()].reduce((sum, { users, bytes }) => sum + (users > 0 ? 0 : bytes), 0);
  }
}

/** A source that may be larger for one job than for another is downloaded for each. */
const idOf = (source: SourceRef, { maxBytes }: Pick<SourceOptions, 'maxBytes'>): string =>
  `${assetIdOf(source)}-${maxBytes ?? 'any'}`;
