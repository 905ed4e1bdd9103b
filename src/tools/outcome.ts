/** The last word on a run: what the tool says of itself, and whether its disk let it work. */
import { statfs } from 'node:fs/promises';
import { MediaError } from '../contracts/errors.js';
import { metrics } from '../metrics/index.js';
import { judge, judgeHard, refuseExhausted } from './failures.js';
import { ToolError } from './tool-error.js';
import type { ToolResult } from './tools.js';

/** Bytes. Tools write in pieces of up to this size; the first that does not fit is lost. */
const FULL_BELOW = 256 * 1024;

/**
 * The result of a run that can be trusted. ffmpeg's hls muxer loses segments on a full disk without a word and exits
 * with 0; ImageMagick names no reason.
 *
 * @throws MediaError by `judgeHard`; NO_SPACE on a full disk; ToolError otherwise.
 */
export async function outcomeOf(tool: string, scratch: string, run: Promise<ToolResult>): Promise<ToolResult> {
  try {
    return await trusted(tool, scratch, run);
  } catch (error) {
    countFailure(tool, error);
    throw error;
  }
}

/** Not a cancellation: that is nobody's failure. */
export function countFailure(tool: string, error: unknown): void {
  const judged = judge(error);
  if (MediaError.is(judged)) metrics.toolFailures.inc({ tool: tool as ToolLabel, code: judged.code });
}

type ToolLabel = Parameters<typeof metrics.toolFailures.inc>[0]['tool'];

async function trusted(tool: string, scratch: string, run: Promise<ToolResult>): Promise<ToolResult> {
  const ended = await run.then(
    (result) => ({ result }),
    (error: unknown) => ({ error: judgeHard(error) }),
  );
  const mayBeTheDisk = 'result' in ended || ToolError.is(ended.error);
  if (mayBeTheDisk && (await isDiskFull(scratch))) {
    throw new MediaError('NO_SPACE', undefined, {
      cause: 'error' in ended ? ended.error : new Error(`${tool} filled its disk`),
    });
  }
  if ('error' in ended) throw ended.error;
  return refuseExhausted(tool, ended.result);
}

export async function isDiskFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize < FULL_BELOW;
}
