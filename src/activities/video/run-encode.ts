/** One ffmpeg, and beside it the shipping of what it finishes. */
import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';

import { MediaError } from '../../contracts/errors.js';
import type { FfmpegCommand } from '../../media/ffmpeg-command.js';
import { SOURCE_FILE } from '../../media/video/encode-args.js';
import { SEGMENT_ENDING } from '../../media/video/layout.js';
import { ffmpegArguments } from '../../tools/ffmpeg/command.js';
import { judge } from '../../tools/failures.js';
import { isDiskFull } from '../../tools/outcome.js';
import type { Brake, FfmpegProgress, ToolResult } from '../../tools/tools.js';
import type { ActivityContext } from '../context.js';
import type { ActivityScope } from '../scope.js';
import { watchArrivals } from './arrivals.js';
import { encodeLimits } from './tool-bounds.js';

/** Finished segments are noticed at once; so often all the same, where a system gives no notice. */
const LOOK_MS = 200;
/** A store that takes longer holds every encoder: what it makes faster than the store takes it dies with the worker. Milliseconds. */
const SLOW_STORE_MS = 1000;
/** How long a draining worker may take to save what is finished. Less than the force time. */
const SAVE_MS = 5000;

export interface Encode {
  readonly command: FfmpegCommand;
  readonly dir: string;
  /** Folders that the outputs lie in. */
  readonly folders: readonly string[];
  readonly mediaSeconds: number;
  /** Of these, what is decoded only to get to where the output begins. */
  readonly leadSeconds: number;
  /**
   * Stands still while a finished segment is on its way to the store, so that a crash costs that segment and not the
   * next one too. Not where somebody waits for the next one.
   */
  readonly holds?: boolean | undefined;
  readonly viewerWaits?: boolean | undefined;
  /** Saves whatever is finished. Never called twice at once. */
  readonly ship: (signal: AbortSignal) => Promise<void>;
  readonly onProgress: (progress: FfmpegProgress) => void;
}

/**
 * Ends when ffmpeg has ended and everything that it finished is shipped. A failure of either stops
 * the other; a draining worker saves finished segments first.
 *
 * @throws MediaError; on cancellation the signal's own reason
 */
export async function runEncode(
  { config, tools }: Pick<ActivityContext, 'config' | 'tools'>,
  { signal }: Pick<ActivityScope, 'signal'>,
  { command, dir, folders, mediaSeconds, leadSeconds, holds = false, viewerWaits = false, ship, onProgress }: Encode,
): Promise<ToolResult> {
  for (const folder of folders) await mkdir(join(dir, folder), { recursive: true });
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  setMaxListeners(0, either);
  let brake: Brake | undefined;
  const paths = folders.map((folder) => join(dir, folder));
  const arrivals = watchArrivals(paths, SEGMENT_ENDING, () => holds && !viewerWaits && brake?.pause());
  const encode = tools.ffmpeg({
    args: ffmpegArguments(command),
    scratch: dir,
    readOnlyFiles: [SOURCE_FILE],
    limits: encodeLimits(config, mediaSeconds),
    // No output is no progress: getting there is allowed to take as long as playing.
    stallSeconds: config.limits.stallSeconds + leadSeconds,
    niceness: viewerWaits ? 0 : config.workers.bulkNiceness,
    signal: either,
    onProgress,
    onStart: (control) => (brake = control),
  });
  const ended = encode.then(
    () => true,
    () => true,
  );
  // Looked at before shipping makes room: on a full disk the muxer cuts or loses segments without a word.
  let wasFull = false;
  const shipNow = async (until: AbortSignal): Promise<void> => {
    wasFull ||= await isDiskFull(dir);
    const slow = setTimeout(() => brake?.pause(), SLOW_STORE_MS);
    try {
      await ship(until);
    } finally {
      clearTimeout(slow);
      if (!arrivals.pending) brake?.resume();
    }
  };
  try {
    while (!(await Promise.race([ended, arrivals.next(LOOK_MS)]))) await shipNow(either);
    const result = await encode;
    await shipNow(signal);
    if (wasFull) throw new MediaError('NO_SPACE');
    return result;
  } catch (error) {
    stop.abort(error);
    await ended;
    if (wasFull && MediaError.is(error)) throw new MediaError('NO_SPACE', undefined, { cause: error });
    if (Context.current().cancellationDetails?.workerShutdown) await ship(AbortSignal.timeout(SAVE_MS));
    throw judge(error);
  } finally {
    arrivals.close();
  }
}
