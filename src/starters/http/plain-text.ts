/** Text that no database holds: the character zero, and halves of characters. Refused at the door, wherever it stands. */
import { Readable } from 'node:stream';
import { ApiProblem } from '../../api/problems.js';
import type { Server } from './instance.js';

export function registerPlainText(server: Server): void {
  server.addHook('preValidation', async ({ params, query, body }) => {
    for (const [name, value] of Object.entries({ params, query, body }))
      if (!isPlainText(value))
        throw new ApiProblem('invalid-request', { detail: `${name} has characters that are none.` });
  });
}

/** Not by recursion: JSON of 64 KiB can be nested deeper than any stack. */
function isPlainText(whole: unknown): boolean {
  const left = [whole];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value === 'string') {
      // Node 20 has it; the library of types does not yet.
      if (value.includes('\0') || !(value as unknown as WellFormed).isWellFormed()) return false;
    } else if (typeof value === 'object' && value !== null && !isBytes(value)) {
      for (const [name, inner] of Object.entries(value)) left.push(name, inner);
    }
  }
  return true;
}

const isBytes = (value: object): boolean => ArrayBuffer.isView(value) || value instanceof Readable;

interface WellFormed {
  isWellFormed(): boolean;
}
