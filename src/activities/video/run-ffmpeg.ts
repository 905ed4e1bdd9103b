/** One ffmpeg whose output is looked at when it is done. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { FfmpegCommand } from '../../media/ffmpeg-command.js';
import { SOURCE_FILE } from '../../media/video/encode-args.js';
import { ffmpegArguments } from '../../tools/ffmpeg/command.js';
import { judge } from '../../tools/failures.js';
import type { FfmpegProgress, ToolResult } from '../../tools/tools.js';
import type { ActivityContext } from '../context.js';
import type { ActivityScope } from '../scope.js';
import { encodeLimits } from './tool-bounds.js';

const MIB = 1024 ** 2;

export interface Run {
  readonly command: FfmpegCommand;
  readonly dir: string;
  /** Folders that the outputs lie in. */
  readonly folders?: readonly string[];
  readonly mediaSeconds: number;
  /** Largest file that it writes, where that is more than a segment. Bytes. */
  readonly fileBytes?: number;
  readonly viewerWaits?: boolean;
  readonly onProgress?: (progress: FfmpegProgress) => void;
}

/** @throws MediaError; on cancellation the signal's own reason */
export async function runFfmpeg(
  { config, tools }: Pick<ActivityContext, 'config' | 'tools'>,
  { signal }: Pick<ActivityScope, 'signal'>,
  { command, dir, folders = [], mediaSeconds, fileBytes = 0, viewerWaits = false, onProgress }: Run,
): Promise<ToolResult> {
  for (const folder of folders) await mkdir(join(dir, folder), { recursive: true });
  const limits = encodeLimits(config, mediaSeconds);
  try {
    return await tools.ffmpeg({
      args: ffmpegArguments(command),
      scratch: dir,
      readOnlyFiles: [SOURCE_FILE],
      limits: { ...limits, fileMiB: Math.max(limits.fileMiB, Math.ceil(fileBytes / MIB)) },
      // What lies before the part that is wanted brings no progress.
      stallSeconds: config.limits.stallSeconds + mediaSeconds,
      niceness: viewerWaits ? 0 : config.workers.bulkNiceness,
      signal,
      onProgress,
    });
  } catch (error) {
    throw signal.aborted ? error : judge(error);
  }
}
