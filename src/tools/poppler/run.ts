/** Runs poppler's programs, which read PDF: no script of a document is run, and nothing outside the scratch folder is there. */
import { MediaError } from '../../contracts/errors.js';
import type { SpawnSandboxed } from '../child.js';
import { childOf } from '../ffmpeg/run.js';
import { FRESH_MEMORY } from '../fresh-memory.js';
import { findFirst } from '../locate.js';
import { outcomeOf } from '../outcome.js';
import { runTool } from '../process.js';
import type { ToolResult, ToolRun } from '../tools.js';

/** What a page is, and the page as a picture. */
export type PopplerProgram = 'pdfinfo' | 'pdftoppm';

export async function runPoppler(spawn: SpawnSandboxed, program: PopplerProgram, run: ToolRun): Promise<ToolResult> {
  if (findFirst([program]) === undefined) throw new MediaError('UNSUPPORTED_FORMAT');
  return outcomeOf(
    program,
    run.scratch,
    runTool(spawn, { ...childOf(run), command: program, args: run.args, env: FRESH_MEMORY }),
  );
}
