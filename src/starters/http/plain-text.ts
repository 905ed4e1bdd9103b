/** Text that no database holds: the character zero, and halves of characters. Refused at the door, wherever it stands. */
import { ApiProblem } from '../../api/problems.js';
import type { Server } from './instance.js';

export function registerPlainText(server: Server): void {
  server.addHook('preValidation', async ({ params, query, body }) => {
    for (const [name, value] of Object.entries({ params, query, body }))
      if (!isPlainText(value))
        throw new ApiProblem('invalid-request', { detail: `${name} has characters that are none.` });
  });
}

function isPlainText(value: unknown): boolean {
  // Node 20 has it; the library of types does not yet.
  if (typeof value === 'string') return !value.includes('\0') && (value as unknown as WellFormed).isWellFormed();
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return true;
  return Object.entries(value).every(([name, inner]) => isPlainText(name) && isPlainText(inner));
}

interface WellFormed {
  isWellFormed(): boolean;
}
