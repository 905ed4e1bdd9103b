/** From lines to items: what each is called, and which come a second time. */
import { createHash } from 'node:crypto';

import { parseIngestLine, type IngestLine } from '../../../contracts/ingest-line.js';
import type { NumberedLine } from './lines.js';

export type Intake =
  | { readonly outcome: 'item'; readonly id: string; readonly line: IngestLine }
  | { readonly outcome: 'parse-error' | 'duplicate'; readonly problem: string };

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** Remembers which ids there were. */
export class Names {
  private readonly seen = new Map<string, { readonly content: string; readonly number: number }>();

  /**
   * The same input gives the same ids, whenever it is read. A line without an id is named by its number and its content:
   * two of the same content are two items.
   */
  take({ number, text, problem }: NumberedLine): Intake {
    if (text === undefined) return { outcome: 'parse-error', problem: problem ?? 'empty' };
    const parsed = parseIngestLine(text);
    if (!parsed.ok) return { outcome: 'parse-error', problem: parsed.problem };
    const content = hash(JSON.stringify(parsed.line));
    const id = parsed.line.id ?? `line-${number}-${content}`;
    const before = this.seen.get(id);
    if (before) {
      const how = before.content === content ? 'the same as' : 'the id of';
      return { outcome: 'duplicate', problem: `${how} line ${before.number}` };
    }
    this.seen.set(id, { content, number });
    return { outcome: 'item', id, line: parsed.line };
  }
}
