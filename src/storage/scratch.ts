/** Scratch space: private folders of jobs and downloaded sources. A cache; nothing in it outlives its process for long. */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/index.js';
import type { SourceRef } from '../contracts/assets.js';
import { MediaError } from '../contracts/errors.js';
import type { Logger } from '../logging/logger.js';
import type { ObjectStore } from './object-store.js';
import { ownDir, sweep } from './process-dir.js';
import { asNoSpace } from './s3-errors.js';
import { SourceCache, type SourceFile, type SourceOptions } from './source-cache.js';
import { SourceParts } from './source-parts.js';
import { writeSlice, type Slice, type SliceOptions } from './source-slice.js';
import { hasRoom } from './space.js';

const MIB = 1024 * 1024;
/** For indexes and first frames of the sources that are being worked on. */
const PARTS_BYTES = 96 * MIB;

export interface Scratch {
  /** This process's own folder below the root: swept by the next process when this one is killed. */
  readonly dir: string;
  /** For work that has its folder elsewhere below `dir`. Error: NO_SPACE when there is too little room to begin. */
  ensureRoom(): Promise<void>;
  /**
   * A private folder (0700) for one attempt, removed when `use` ends, however it ends.
   * Errors: NO_SPACE when there is too little room to begin, or when `use` runs out of it.
   */
  withJobDir<T>(name: string, use: (dir: string) => Promise<T>): Promise<T>;
  /**
   * The source of a job as a local file, downloaded once for all jobs of this process that want it.
   * Errors: those of `ObjectStore.download`; NO_SPACE.
   */
  sourceFile(source: SourceRef, store: ObjectStore, options?: SourceOptions): Promise<SourceFile>;
  /** Whether `sourceFile` has nothing to download. */
  hasSource(source: SourceRef, options?: Pick<SourceOptions, 'maxBytes'>): boolean;
  /** Some bytes of a source, kept in memory for the next steps. Errors: those of `ObjectStore.readRange`. */
  sourcePart(
    source: SourceRef,
    store: ObjectStore,
    offset: number,
    length: number,
    options?: Pick<SourceOptions, 'signal'>,
  ): Promise<Buffer>;
  /**
   * A sparse file with some bytes of a source at their places, at `path` inside a job's folder.
   * Errors: those of `ObjectStore.readRange`; NO_SPACE.
   */
  sourceSlice(source: SourceRef, store: ObjectStore, path: string, slice: Slice, options?: SliceOptions): Promise<void>;
  /** Removes everything of this process. */
  close(): Promise<void>;
}

export async function createScratch(config: Config['scratch'], logger: Logger): Promise<Scratch> {
  const root = config.dir || join(tmpdir(), 'mediamill');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const { uid } = await stat(root);
  // In a folder that everybody may write to, another user could have made it first.
  if (!config.dir && process.getuid && uid !== process.getuid()) {
    throw new Error(`${root} belongs to another user: set scratch.dir (SCRATCH_DIR)`);
  }
  const swept = await sweep(root);
  if (swept.length > 0) logger.info('Removed scratch folders of dead processes.', { folders: swept });
  const own = await ownDir(root);
  const sources = new SourceCache(own, config.cacheMiB * MIB);
  const parts = new SourceParts(PARTS_BYTES);

  async function makeRoom(bytes: number): Promise<void> {
    while (!(await hasRoom(root, config, bytes))) {
      if (!(await sources.evictOne())) throw new MediaError('NO_SPACE');
    }
  }

  return {
    dir: own,
    ensureRoom: () => makeRoom(0),
    async withJobDir(name, use) {
      await makeRoom(0);
      const dir = await mkdtemp(join(own, `job-${name.replace(/[^\w.-]+/g, '_').slice(0, 80)}-`));
      try {
        return await use(dir);
      } catch (error) {
        throw asNoSpace(error);
      } finally {
        await rm(dir, { recursive: true, force: true, maxRetries: 3 });
      }
    },
    async sourceFile(source, store, options = {}) {
      // The size is a hint of the event; what is really too much ends as NO_SPACE while it is written.
      await makeRoom(source.size ?? 0);
      return sources.take(source, store, options);
    },
    hasSource: (source, options = {}) => sources.has(source, options),
    sourcePart: (source, store, offset, length, options = {}) =>
      parts.read(source, store, offset, length, options.signal),
    async sourceSlice(source, store, path, slice, options = {}) {
      await makeRoom(slice.ranges.reduce((sum, { from, to }) => sum + to - from, 0));
      await writeSlice(source, store, path, slice, options);
    },
    async close() {
      await rm(own, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
