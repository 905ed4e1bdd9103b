/** Hands a scratch folder to the user that decoders run as, where that is another user than the worker's. */
import { lchownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NOBODY } from './sandbox.js';

/**
 * Links themselves change hands, never what they point to. Synchronous: it belongs to starting the child.
 *
 * @param keep names of files in `dir` that stay the worker's: they may be the same file as one elsewhere
 */
export function giveToSandbox(dir: string, keep: readonly string[] = []): void {
  const kept = keep.map((name) => join(dir, name));
  lchownSync(dir, NOBODY, NOBODY);
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!kept.includes(path)) lchownSync(path, NOBODY, NOBODY);
  }
}
