/** A stream of bytes as lines with their numbers. No line, however long, is ever held in memory as a whole. */
import type { Readable } from 'node:stream';

export interface NumberedLine {
  /** From 1, empty lines counted. */
  readonly number: number;
  /** Absent: what it is said to be in `problem`. */
  readonly text?: string | undefined;
  readonly problem?: string | undefined;
}

/** Bytes. */
const LONGEST = 65_536;
const NEWLINE = 0x0a;

/** Lines with nothing in them are left out. */
export async function* numberedLines(input: Readable, longest = LONGEST): AsyncGenerator<NumberedLine> {
  let number = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (bytes: Buffer): void => {
    length += bytes.length;
    if (length <= longest) parts.push(bytes);
    else parts = [];
  };
  const end = (): NumberedLine | undefined => {
    const line = length > longest ? { number, problem: `longer than ${longest} bytes` } : decoded(number, parts);
    parts = [];
    length = 0;
    number += 1;
    return line;
  };
  for await (const chunk of input) {
    let rest = Buffer.from(chunk as Buffer | string);
    for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE)) {
      take(rest.subarray(0, at));
      rest = rest.subarray(at + 1);
      const line = end();
      if (line) yield line;
    }
    take(rest);
  }
  const last = end();
  if (last) yield last;
}

/** It also takes a byte order mark away. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decoded(number: number, parts: readonly Buffer[]): NumberedLine | undefined {
  try {
    const text = utf8.decode(Buffer.concat(parts)).trim();
    return text === '' ? undefined : { number, text };
  } catch {
    return { number, problem: 'not UTF-8' };
  }
}
