/** Sees what decoders are asked for, at the place where they are started. */
import { basename } from 'node:path';

import type { SpawnSandboxed } from '../../src/tools/child.js';

export interface Witness {
  /** Programs that were started (`convert`) and requests to image processes (`inspect`, `render`), in order. */
  readonly asked: readonly string[];
  forget(): void;
  around(spawn: SpawnSandboxed): SpawnSandboxed;
}

/** What looks at a header and makes no pixels. */
const LOOKS = new Set(['inspect', 'pdfinfo']);

/** Whether a decoder was asked for pixels. */
export const decoded = ({ asked }: Witness): boolean => asked.some((what) => !LOOKS.has(what));

export function createWitness(): Witness {
  const asked: string[] = [];
  return {
    asked,
    forget: () => void asked.splice(0),
    around: (spawn) => (spec) => {
      const child = spawn(spec);
      if (spec.command !== process.execPath) {
        asked.push(basename(spec.command));
        return child;
      }
      const { stdin } = child.process;
      const write = stdin.write.bind(stdin) as (text: string) => boolean;
      stdin.write = ((text: string) => {
        asked.push((JSON.parse(text) as { op: string }).op);
        return write(text);
      }) as typeof stdin.write;
      return child;
    },
  };
}
