/** The index of an MP4 or MOV, read from the object store without the rest of it. */
import type { SourceRef } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import {
  bytesOf,
  headOf,
  mergeRanges,
  sizeOf,
  without,
  type ByteRange,
  type Stretch,
} from '../../media/video/movie-index.js';
import { readSampleTables, type Track } from '../../media/video/sample-table.js';
import { looksLikeMovie, readLayout } from '../../media/video/top-boxes.js';
import { SNIFF_BYTES } from '../../media/sniff.js';
import type { ObjectStat } from '../../storage/object-store.js';
import type { Slice } from '../../storage/source-slice.js';
import type { ActivityContext } from '../context.js';

type Needs = Pick<ActivityContext, 'config' | 'store' | 'scratch'>;

export interface Movie {
  readonly moov: ByteRange;
  /** In the order of ffprobe's streams. */
  readonly tracks: readonly Track[];
  /** What ffmpeg and ffprobe need to open it: a slice with these bytes alone. */
  readonly opening: Slice;
}

/** Ranges with less between them are one request: what a request costs is as good as so many bytes. */
const GAP_BYTES = 256 * 1024;
/** A slice of more than this share is not worth it: other steps of the same worker want the rest. */
const WORTH_SHARE = 0.5;

export const maxSourceBytes = ({ limits }: ActivityContext['config']): number => limits.maxUploadMiB * 1024 ** 2;

/** @throws MediaError OBJECT_MISSING, OBJECT_GONE, LIMIT_BYTES: the same as a download of it would */
export async function statSource(
  { config, store }: Pick<Needs, 'config' | 'store'>,
  { bucket, key, versionId, etag }: SourceRef,
  signal: AbortSignal,
): Promise<ObjectStat> {
  const wanted = etag?.replaceAll('"', '');
  const stat = await store.stat(bucket, key, { versionId, signal }).catch((error: unknown) => {
    // Somebody knew its etag, so it was there.
    if (wanted && MediaError.is(error) && error.code === 'OBJECT_MISSING')
      throw new MediaError('OBJECT_GONE', undefined, { cause: error });
    throw error;
  });
  if (wanted && stat.etag !== wanted) throw new MediaError('OBJECT_GONE');
  const allowed = maxSourceBytes(config);
  if (stat.bytes > allowed) throw new MediaError('LIMIT_BYTES', `It has ${stat.bytes} bytes, allowed are ${allowed}.`);
  return stat;
}

/** @returns the first `SNIFF_BYTES`, fewer where there are no more */
export const readSourceHead = (
  { store, scratch }: Pick<Needs, 'store' | 'scratch'>,
  source: SourceRef,
  signal: AbortSignal,
): Promise<Buffer> => scratch.sourcePart(source, store, 0, SNIFF_BYTES, { signal });

/** @returns undefined for everything that is not a whole, plain, indexed movie */
export async function openMovie(
  context: Needs,
  source: SourceRef,
  bytes: number,
  signal: AbortSignal,
): Promise<Movie | undefined> {
  const { store, scratch } = context;
  const head = await readSourceHead(context, source, signal);
  if (!looksLikeMovie(head)) return undefined;
  const read = (offset: number, length: number): Promise<Buffer> =>
    offset + length <= head.length
      ? Promise.resolve(head.subarray(offset, offset + length))
      : scratch.sourcePart(source, store, offset, length, { signal });
  const layout = await readLayout(read, bytes);
  if (!layout) return undefined;
  const { moov } = layout;
  const index = await read(moov.from, moov.to - moov.from);
  const tracks = readSampleTables(index);
  if (!tracks) return undefined;
  const first = mergeRanges([...layout.outside, ...headOf(tracks)], GAP_BYTES).filter(({ from }) => from < bytes);
  const known = await Promise.all(
    without(first, [moov]).map(async ({ from, to }) => ({
      offset: from,
      bytes: await read(from, Math.min(to, bytes) - from),
    })),
  );
  return { moov, tracks, opening: { bytes, ranges: [], known: [{ offset: moov.from, bytes: index }, ...known] } };
}

/** @returns undefined when the whole object is the better choice */
export function sliceOf({ tracks, opening }: Movie, stretch: Stretch): Slice | undefined {
  const needed = bytesOf(tracks, stretch);
  if (!needed) return undefined;
  const known = mergeRanges(opening.known.map(({ offset, bytes }) => ({ from: offset, to: offset + bytes.length })));
  const ranges = without(mergeRanges(needed, GAP_BYTES), known);
  return sizeOf(ranges) + sizeOf(known) > opening.bytes * WORTH_SHARE ? undefined : { ...opening, ranges };
}
