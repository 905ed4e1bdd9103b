/** Cursors: where a page ended, as an opaque text. They hold nothing secret, and are believed nothing. */
import { createHash } from 'node:crypto';

/** The cursor was changed, or belongs to another search. */
export class InvalidCursor extends Error {
  constructor() {
    super('The cursor does not belong to this search.');
    this.name = 'InvalidCursor';
  }

  /** Jest evaluates modules more than once: match by shape. */
  static is(error: unknown): error is InvalidCursor {
    return error instanceof Error && error.name === 'InvalidCursor';
  }
}

export type CursorValue = string | number;

const MAX_LENGTH = 2000;

/** @param search what was asked for, without the page: a cursor is good for the same question only */
export function writeCursor(search: object, position: readonly CursorValue[]): string {
  return Buffer.from(JSON.stringify([fingerprint(search), ...position])).toString('base64url');
}

/** @throws InvalidCursor */
export function readCursor(search: object, cursor: string): CursorValue[] {
  if (cursor.length > MAX_LENGTH) throw new InvalidCursor();
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw new InvalidCursor();
  }
  if (!Array.isArray(parsed) || parsed[0] !== fingerprint(search)) throw new InvalidCursor();
  const position = parsed.slice(1) as unknown[];
  if (!position.every(isValue)) throw new InvalidCursor();
  return position;
}

const isValue = (value: unknown): value is CursorValue => typeof value === 'string' || Number.isFinite(value);

const fingerprint = (search: object): string =>
  createHash('sha256').update(JSON.stringify(search)).digest('base64url').slice(0, 8);
