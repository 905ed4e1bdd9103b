/** Runs libheif's own converter. */
import type { SpawnSandboxed } from '../child.js';
import { childOf } from '../ffmpeg/run.js';
import { FRESH_MEMORY } from '../fresh-memory.js';
import { findFirst } from '../locate.js';
import { outcomeOf } from '../outcome.js';
import { runTool } from '../process.js';
import type { ToolResult, ToolRun } from '../tools.js';

/** Its name up to libheif 1.16, and later. */
export const LIBHEIF: readonly string[] = ['heif-convert', 'heif-dec'];

/** @returns undefined where it is not installed */
export function heifRunner(spawn: SpawnSandboxed): ((run: ToolRun) => Promise<ToolResult>) | undefined {
  const command = findFirst(LIBHEIF);
  if (command === undefined) return undefined;
  return (run) =>
    outcomeOf('libheif', run.scratch, runTool(spawn, { ...childOf(run), command, args: run.args, env: FRESH_MEMORY }));
}
