/** Hands a scratch folder to the user that decoders run as, where that is another user than the worker's. */
import { lchownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NOBODY } from './sandbox.js';

/** Links themselves change hands, never what they point to. Synchronous: it belongs to starting the child. */
export function giveToSandbox(dir: string): void {
  lchownSync(dir, NOBODY, NOBODY);
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    lchownSync(join(entry.parentPath, entry.name), NOBODY, NOBODY);
  }
}
