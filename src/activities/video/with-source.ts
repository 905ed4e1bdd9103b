/** A private folder with the source in it, for as long as a step works. */
import { join } from 'node:path';

import type { Job } from '../../contracts/assets.js';
import { MediaError, type ErrorCode } from '../../contracts/errors.js';
import type { SourceIndex } from '../../contracts/plan.js';
import { SOURCE_FILE } from '../../media/video/encode-args.js';
import type { Slice } from '../../storage/source-slice.js';
import { ToolError } from '../../tools/tool-error.js';
import type { ActivityContext } from '../context.js';
import type { ActivityScope } from '../scope.js';
import { maxSourceBytes, openMovie, sliceOf, statSource } from './movie-source.js';

type Needs = Pick<ActivityContext, 'config' | 'store' | 'scratch'>;

/** The part of a source that a step reads. */
export interface SourceWindow {
  /** `plan.facts.index`. Without one the source is downloaded whole. */
  readonly index: SourceIndex | undefined;
  /** Seconds on the grid's clock: the stretch itself. The run-up that seeking needs is added here. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** Stream indices that the step decodes. */
  readonly streams: readonly number[];
}

export interface OpenSource {
  /**
   * The file has its full size, but holds only what the window needs; all else reads as zeros.
   * What looks like damage in it may be ours: throw `NeedsWholeSource` before you believe it.
   */
  readonly sliced: boolean;
}

/** Thrown by a `use` that can't do with a slice: it is called again with the whole source, in a fresh folder. */
export class NeedsWholeSource extends Error {
  constructor(reason: string) {
    super(`A slice of the source does not do: ${reason}.`);
    this.name = 'NeedsWholeSource';
  }
}

/** Failures that speak against the bytes, which in a slice may be missing by our own doing. */
const AGAINST_THE_BYTES = new Set<ErrorCode>([
  ...(['DAMAGED_FILE', 'TRUNCATED_FILE', 'NO_MEDIA', 'UNSUPPORTED_TYPE', 'UNSUPPORTED_FORMAT'] as const),
  ...(['DECODER_CRASHED', 'DECODER_LIMIT', 'DECODER_TIMEOUT', 'TOOL_STALLED', 'VERIFY_FAILED'] as const),
]);

const mayBeTheSlice = (error: unknown): boolean =>
  error instanceof NeedsWholeSource ||
  ToolError.is(error) ||
  (MediaError.is(error) && AGAINST_THE_BYTES.has(error.code));

/**
 * Calls `use` with a folder that holds the source as `SOURCE_FILE`: the whole one where this process has
 * it already or no window is given; else, where the source has an index and the window is clearly
 * smaller, a slice. Arguments of ffmpeg are the same for both.
 *
 * When `use` throws `NeedsWholeSource`, or an error that speaks against the bytes, on a slice, it is called
 * a second time, on the whole source in a fresh folder. So it must be repeatable.
 *
 * @param name names the folder, for whoever looks into the scratch space
 * @throws what `Scratch.sourceFile` throws; OBJECT_IS_DIRECTORY
 */
export async function withSource<T>(
  context: Needs,
  scope: Pick<ActivityScope, 'signal' | 'report' | 'logger'>,
  job: Job,
  name: string,
  use: (dir: string, source: OpenSource) => Promise<T>,
  window?: SourceWindow,
): Promise<T> {
  if (job.source.key.endsWith('/')) throw new MediaError('OBJECT_IS_DIRECTORY');
  const slice = await sliceFor(context, scope, job, window);
  if (slice) {
    try {
      return await withSlice(context, scope, job, name, slice, (dir) => use(dir, { sliced: true }));
    } catch (error) {
      if (scope.signal.aborted || !mayBeTheSlice(error)) throw error;
      scope.logger.warn('a slice of the source did not do', { assetId: job.assetId, name, error });
    }
  }
  return withWhole(context, scope, job, name, (dir) => use(dir, { sliced: false }));
}

/** @returns undefined where the whole source is to be had, or better */
async function sliceFor(
  context: Needs,
  { signal }: Pick<ActivityScope, 'signal'>,
  { source }: Job,
  window: SourceWindow | undefined,
): Promise<Slice | undefined> {
  if (!window?.index || context.scratch.hasSource(source, { maxBytes: maxSourceBytes(context.config) }))
    return undefined;
  const { bytes } = await statSource(context, source, signal);
  const movie = await openMovie(context, source, bytes, signal);
  const { originSeconds } = window.index;
  return (
    movie &&
    sliceOf(movie, {
      from: window.fromSeconds + originSeconds,
      to: window.toSeconds + originSeconds,
      streams: window.streams,
    })
  );
}

const reporter =
  (report: ActivityScope['report']) =>
  (bytes: number, total: number): void =>
    report({ step: 'download', what: SOURCE_FILE, percent: total > 0 ? Math.min(100, (bytes / total) * 100) : 0 });

/** A folder with a slice of the source, for as long as `use` works. @throws what `Scratch.sourceSlice` throws */
export async function withSlice<T>(
  { store, scratch }: Pick<Needs, 'store' | 'scratch'>,
  { signal, report }: Pick<ActivityScope, 'signal' | 'report'>,
  { assetId, source }: Job,
  name: string,
  slice: Slice,
  use: (dir: string) => Promise<T>,
): Promise<T> {
  const onProgress = reporter(report);
  onProgress(0, 0);
  return scratch.withJobDir(`${assetId}-${name}`, async (dir) => {
    await scratch.sourceSlice(source, store, join(dir, SOURCE_FILE), slice, { signal, onProgress });
    return use(dir);
  });
}

async function withWhole<T>(
  { config, store, scratch }: Needs,
  { signal, report }: Pick<ActivityScope, 'signal' | 'report'>,
  job: Job,
  name: string,
  use: (dir: string) => Promise<T>,
): Promise<T> {
  const onProgress = reporter(report);
  onProgress(0, 0);
  return scratch.withJobDir(`${job.assetId}-${name}`, async (dir) => {
    const source = await scratch.sourceFile(job.source, store, {
      signal,
      onProgress,
      maxBytes: maxSourceBytes(config),
    });
    try {
      await source.linkInto(dir, SOURCE_FILE);
      return await use(dir);
    } finally {
      // Cancelled, or handed over to another worker: nobody comes back for it.
      await source.release(!signal.aborted);
    }
  });
}
