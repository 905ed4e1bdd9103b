/** Runs ImageMagick's `convert` under a policy of ours. */
import { fileURLToPath } from 'node:url';
import type { SpawnSandboxed } from '../child.js';
import { childOf } from '../ffmpeg/run.js';
import { FRESH_MEMORY } from '../fresh-memory.js';
import { findFirst } from '../locate.js';
import { outcomeOf } from '../outcome.js';
import { runTool } from '../process.js';
import type { ToolResult, ToolRun } from '../tools.js';

/** Version 7, Debian's own name for version 6, and the name that GraphicsMagick and others use too. */
export const IMAGEMAGICK: readonly string[] = ['magick', 'convert-im6.q16', 'convert'];

/** Holds policy.xml. */
const POLICY_FOLDER = fileURLToPath(new URL('.', import.meta.url)).replace(/\/$/, '');

export async function runMagick(spawn: SpawnSandboxed, run: ToolRun): Promise<ToolResult> {
  const { memoryMiB, fileMiB, wallSeconds } = run.limits;
  const child = runTool(spawn, {
    ...childOf(run),
    command: findFirst(IMAGEMAGICK) ?? 'convert',
    args: run.args,
    readOnlyPaths: [POLICY_FOLDER],
    env: {
      ...FRESH_MEMORY,
      MAGICK_CONFIGURE_PATH: POLICY_FOLDER,
      // A relative name: the policy forbids absolute ones.
      MAGICK_TMPDIR: '.',
      // Well below the child's own limits, which its decoders need too: large pictures go through the disk.
      MAGICK_MEMORY_LIMIT: `${Math.floor(memoryMiB / 4)}MiB`,
      MAGICK_MAP_LIMIT: `${Math.floor(memoryMiB / 8)}MiB`,
      MAGICK_DISK_LIMIT: `${Math.floor(fileMiB)}MiB`,
      MAGICK_TIME_LIMIT: String(Math.ceil(wallSeconds)),
    },
  });
  return outcomeOf('convert', run.scratch, child);
}
