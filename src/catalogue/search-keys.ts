/** By what pages of assets are ordered, and where the next one begins. */
import { sql, type RawBuilder } from 'kysely';

import { InvalidCursor, type CursorValue } from './search-cursor.js';
import { distanceTo } from './similar.js';

export const ASSET_SORTS = [
  ...(['newest', 'oldest', 'largest', 'longest', 'name', 'deadline', 'relevance', 'similarity'] as const),
] as const;
export type AssetSort = (typeof ASSET_SORTS)[number];

export type Condition = RawBuilder<boolean>;

export interface Key {
  readonly expression: RawBuilder<unknown>;
  /** As the cursor carries it. */
  readonly value: RawBuilder<unknown>;
  readonly descending: boolean;
  /** Back from the cursor. @throws InvalidCursor */
  readonly read: (value: CursorValue) => RawBuilder<unknown>;
}

/** Microseconds since 1970: as exact as the column. */
export const CREATED_MICROS = sql<number>`(extract(epoch from created_at) * 1000000)::bigint`;

/** @throws InvalidCursor */
export function createdAtOf(micros: CursorValue): RawBuilder<Date> {
  if (!Number.isSafeInteger(micros)) throw new InvalidCursor();
  return sql`(timestamptz 'epoch' + ${micros}::double precision * interval '1 microsecond')`;
}

function text(value: CursorValue): RawBuilder<string> {
  if (typeof value !== 'string' || value.includes('\0')) throw new InvalidCursor();
  return sql`${value}::text`;
}

function number(value: CursorValue): RawBuilder<number> {
  if (typeof value !== 'number') throw new InvalidCursor();
  return sql`${value}::double precision`;
}

function integer(value: CursorValue): RawBuilder<number> {
  if (!Number.isSafeInteger(value)) throw new InvalidCursor();
  return sql`${value}::bigint`;
}

const plain = (column: string, descending: boolean, read: Key['read']): Key => {
  const expression = sql.raw(column);
  return { expression, value: expression, descending, read };
};

const ID = plain('assets.id', false, text);
const NEWEST: readonly Key[] = [
  { expression: sql`created_at`, value: CREATED_MICROS, descending: true, read: createdAtOf },
  ID,
];

function instant(value: CursorValue): RawBuilder<Date> {
  if (typeof value !== 'string' || !/^(infinity|\d{4}-\d\d-\d\d[ T][\d:.]{5,15}([+-]\d\d(:\d\d)?|Z)?)$/.test(value))
    throw new InvalidCursor();
  return sql`${value}::timestamptz`;
}

/** What is needed at no particular time comes last. */
const FIRST_NEEDED = plain(`coalesce(publish_by, 'infinity')`, false, instant);

/** @param hash of what `similarity` compares with */
export function keysOf(sort: AssetSort, hash?: string): readonly Key[] {
  switch (sort) {
    case 'oldest':
      return NEWEST.map((key) => ({ ...key, descending: !key.descending }));
    case 'largest':
      return [plain('coalesce(bytes, 0)', true, integer), ...NEWEST];
    case 'longest':
      return [plain('coalesce(duration, 0)', true, number), ...NEWEST];
    case 'name':
      return [plain('left(names, 100)', false, text), ...NEWEST];
    case 'deadline':
      return [FIRST_NEEDED, ...NEWEST];
    case 'similarity': {
      if (hash === undefined) return NEWEST;
      const expression = distanceTo(hash);
      return [{ expression, value: expression, descending: false, read: integer }, ...NEWEST];
    }
    default:
      return NEWEST;
  }
}

/** What comes after a position: the values of its keys. @throws InvalidCursor */
export function behind(keys: readonly Key[], position: readonly CursorValue[]): Condition {
  if (position.length !== keys.length) throw new InvalidCursor();
  const [key, ...rest] = keys as [Key, ...Key[]];
  const value = key.read(position[0]!);
  const further: Condition = sql`${key.expression} ${sql.raw(key.descending ? '<' : '>')} ${value}`;
  if (rest.length === 0) return further;
  // What an index can be entered by comes first.
  return sql`(${key.expression} ${sql.raw(key.descending ? '<=' : '>=')} ${value}
    and (${further} or ${behind(rest, position.slice(1))}))`;
}
