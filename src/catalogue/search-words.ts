/** Finds assets by words, the best first. */
import { sql } from 'kysely';

import { ASSET_COLUMNS, assetRow } from './asset-row.js';
import type { AssetRow } from './catalogue.js';
import { mapped, type Database } from './database.js';
import { InvalidCursor, type CursorValue } from './search-cursor.js';
import { behind, CREATED_MICROS, keysOf, type Condition } from './search-keys.js';
import { queryOf } from './search-text.js';
import { completionsOf, wordsLike } from './vocabulary.js';

export interface WordSearch {
  readonly tenant: string;
  /** Of `wordsOf`, at least one. */
  readonly words: readonly string[];
  readonly conditions: readonly Condition[];
  readonly limit: number;
  readonly position?: readonly CursorValue[] | undefined;
}

interface Found {
  readonly id: string;
  readonly rank: number;
  readonly micros: number;
}

/**
 * So many matches, the newest, are ranked among each other; those before them follow, ranked in the same way. Ranking
 * all matches of a common word would mean reading them all: seconds, with a million assets.
 */
const WINDOW = 500;

/** First what has the words, then what has words like them. */
type Phase = 'exact' | 'like';

interface Position {
  readonly phase: Phase;
  /** The end of the window before. */
  readonly upper?: Pick<Found, 'id' | 'micros'> | undefined;
  /** The last one of the page before, where it lies within this window. */
  readonly after?: Found | undefined;
}

/** @throws InvalidCursor */
export async function searchWords(
  db: Database,
  { tenant, words, conditions, limit, position }: WordSearch,
): Promise<{ rows: AssetRow[]; next?: CursorValue[] }> {
  const completions = await completionsOf(db, tenant, words.at(-1)!);
  const exact = queryOf(words, completions);
  const like = async (): Promise<string> =>
    queryOf(words, completions, await Promise.all(words.map((word) => wordsLike(db, tenant, word))));
  const found: { readonly one: Found; readonly at: Position }[] = [];
  let at: Position | undefined = position ? readPosition(position) : { phase: 'exact' };
  while (at && found.length <= limit) {
    const here: Position = at;
    const query = here.phase === 'exact' ? exact : await like();
    // Nobody mistyped anything, or nothing is like it.
    if (here.phase === 'like' && query === exact) break;
    const window = await windowOf(db, conditions, query, here.phase === 'like' ? exact : undefined, here.upper);
    const rest = here.after ? window.filter((one) => isBehind(one, here.after!)) : window;
    found.push(...rest.map((one) => ({ one, at: here })));
    if (window.length === WINDOW) at = { phase: here.phase, upper: oldestOf(window) };
    // What thousands of assets have is no slip of the pen.
    else at = here.phase === 'exact' && !here.upper ? { phase: 'like' } : undefined;
  }
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return {
    rows: await rowsOf(
      db,
      page.map(({ one }) => one.id),
    ),
    ...(last && { next: writePosition({ ...last.at, after: last.one }) }),
  };
}

/** Best first. */
async function windowOf(
  db: Database,
  conditions: readonly Condition[],
  query: string,
  except: string | undefined,
  upper: Position['upper'],
): Promise<Found[]> {
  const wanted = sql`to_tsquery('simple', ${query})`;
  const all: Condition[] = [...conditions, sql`words @@ ${wanted}`];
  if (except !== undefined) all.push(sql`not words @@ to_tsquery('simple', ${except})`);
  if (upper) all.push(behind(keysOf('newest'), [upper.micros, upper.id]));
  const ranked = sql<{ id: string; rank: number; micros: string }>`
    with newest as materialized (
      select id, words, created_at from assets where ${sql.join(all, sql` and `)}
      order by created_at desc, id limit ${WINDOW}
    )
    select id, ts_rank(words, ${wanted}) as rank, ${CREATED_MICROS} as micros
    from newest order by rank desc, created_at desc, id`;
  const { rows } = await mapped(() => ranked.execute(db));
  return rows.map(({ id, rank, micros }) => ({ id, rank, micros: Number(micros) }));
}

const isBehind = (one: Found, other: Found): boolean =>
  one.rank !== other.rank
    ? one.rank < other.rank
    : one.micros !== other.micros
      ? one.micros < other.micros
      : one.id > other.id;

const oldestOf = (window: readonly Found[]): Found =>
  window.reduce((oldest, one) => (isBehind({ ...one, rank: 0 }, { ...oldest, rank: 0 }) ? one : oldest));

async function rowsOf(db: Database, ids: readonly string[]): Promise<AssetRow[]> {
  if (ids.length === 0) return [];
  const query = db.selectFrom('assets').select(ASSET_COLUMNS).where('assets.id', 'in', ids);
  const rows = await mapped(() => query.execute());
  const byId = new Map(rows.map((row) => [row.id, assetRow(row)]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

const NONE: Found = { id: '', rank: -1, micros: -1 };

const writePosition = ({ phase, upper = NONE, after = NONE }: Position): CursorValue[] => [
  ...[phase, upper.micros, upper.id, after.rank, after.micros, after.id],
];

/** @throws InvalidCursor */
function readPosition(values: readonly CursorValue[]): Position {
  const [phase, upperMicros, upperId, rank, micros, id] = values;
  if (values.length !== 6 || (phase !== 'exact' && phase !== 'like')) throw new InvalidCursor();
  const [texts, numbers] = [
    [upperId, id],
    [upperMicros, rank, micros],
  ];
  if (!texts.every((value) => typeof value === 'string') || !numbers.every((value) => typeof value === 'number'))
    throw new InvalidCursor();
  const [upper, after] = [
    { id: upperId as string, micros: upperMicros as number },
    { id: id as string, rank: rank as number, micros: micros as number },
  ];
  return { phase, ...(upper.id && { upper }), ...(after.id && { after }) };
}
