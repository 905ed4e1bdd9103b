/** Finds a tenant's assets: filters, orders, pages. By words: `search-words.ts`. */
import { sql, type Selectable } from 'kysely';

import type { AssetState, MediaKind } from '../contracts/assets.js';
import type { DeadlineState } from '../contracts/deadlines.js';
import { ASSET_COLUMNS, assetRow } from './asset-row.js';
import type { AssetRow } from './catalogue.js';
import { mapped, type Database, type Tables } from './database.js';
import { readCursor, writeCursor, type CursorValue } from './search-cursor.js';
import { behind, keysOf, type AssetSort, type Condition } from './search-keys.js';
import { queryOf, wordsOf } from './search-text.js';
import { searchWords } from './search-words.js';
import { completionsOf } from './vocabulary.js';
import { imagesNear } from './similar.js';

export { ASSET_SORTS, type AssetSort } from './search-keys.js';

export interface AssetSearch {
  readonly tenant: string;
  /** Words in title, file name, tags and metadata: all of them, the last one perhaps its beginning only. Empty: any. */
  readonly text?: string | undefined;
  readonly kind?: MediaKind | undefined;
  /** Videos, sound, and what nobody has looked at yet. */
  readonly withoutImages?: boolean | undefined;
  /** Any of these; absent: all but deleted ones. */
  readonly state?: readonly AssetState[] | undefined;
  /** Any of these; absent: all, with a deadline or without. */
  readonly deadline?: readonly DeadlineState[] | undefined;
  /** All of these. */
  readonly tags?: readonly string[] | undefined;
  readonly profile?: string | undefined;
  readonly minBytes?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** Seconds. */
  readonly minDuration?: number | undefined;
  readonly maxDuration?: number | undefined;
  /** Inclusive. */
  readonly createdAfter?: Date | undefined;
  /** Exclusive. */
  readonly createdBefore?: Date | undefined;
  /** Published images that look like this. `hash`: `ImageTraits.perceptualHash`; `maxDistance`: bits, 0-64, quick up to 11. */
  readonly similarTo?: { readonly hash: string; readonly maxDistance: number } | undefined;
  /** Default: `similarity` with `similarTo`, `relevance` with a text, else `newest`. */
  readonly sort?: AssetSort | undefined;
  /** At least 1. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface AssetPage {
  readonly rows: AssetRow[];
  /** Cursor of the next page; absent on the last one. */
  readonly next?: string | undefined;
}

/**
 * Pages are stable: what is added or removed meanwhile moves nothing else into or out of the following ones.
 *
 * @throws InvalidCursor
 */
export async function searchAssets(db: Database, search: AssetSearch): Promise<AssetPage> {
  const { limit, cursor, ...question } = search;
  const sort = sortOf(search);
  const position = cursor === undefined ? undefined : readCursor(question, cursor);
  const conditions = conditionsOf(search);
  const words = wordsOf(search.text ?? '');
  if (sort === 'relevance' && words.length > 0) {
    const page = await searchWords(db, { tenant: search.tenant, words, conditions, limit, position });
    return { rows: page.rows, ...(page.next && { next: writeCursor(question, page.next) }) };
  }
  let from = sql<Row>`assets`;
  if (words.length > 0) {
    const query = queryOf(words, await completionsOf(db, search.tenant, words.at(-1)!));
    conditions.push(sql`words @@ to_tsquery('simple', ${query})`);
    const few = sort !== 'newest' && sort !== 'oldest' && (await mapped(() => estimate(db, conditions))) <= FEW;
    // Found first, sorted then: the planner would rather look along the order, as if they stood together there.
    if (few) from = sql`(${matching(conditions.splice(0))} offset 0)`;
  } else if (search.text?.trim()) conditions.push(sql`false`);
  const keys = keysOf(sort, search.similarTo?.hash);
  if (position) conditions.push(behind(keys, position));
  const rows = await mapped(() =>
    db
      .selectFrom(from.as('assets'))
      .select(ASSET_COLUMNS)
      .select(sql<CursorValue[]>`json_build_array(${sql.join(keys.map(({ value }) => value))})`.as('position'))
      .where((eb) => eb.and(conditions))
      .orderBy(sql.join(keys.map(({ expression, descending }) => sql`${expression} ${descending ? DESC : ASC}`)))
      .limit(limit + 1)
      .execute(),
  );
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    rows: rows.slice(0, limit).map(assetRow),
    ...(last && { next: writeCursor(question, last.position) }),
  };
}

const ASC = sql.raw('asc');
const DESC = sql.raw('desc');

/** Matches that are quicker sorted than found one after the other in an order. */
const FEW = 20_000;

const matching = (conditions: readonly Condition[]) =>
  sql`select * from assets where ${sql.join(conditions, sql` and `)}`;

type Row = Selectable<Tables['assets']>;

/** How many rows the planner expects. */
async function estimate(db: Database, conditions: readonly Condition[]): Promise<number> {
  const explained = sql<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>`
    explain (format json) ${matching(conditions)}`;
  const { rows } = await explained.execute(db);
  return rows[0]!['QUERY PLAN'][0].Plan['Plan Rows'];
}

function sortOf({ sort, similarTo, text }: AssetSearch): AssetSort {
  const given = sort ?? (similarTo ? 'similarity' : text?.trim() ? 'relevance' : 'newest');
  // Nothing to compare with.
  return (given === 'similarity' && !similarTo) || (given === 'relevance' && !text) ? 'newest' : given;
}

/** `and`, every one of them served by an index together with the tenant, or cheap. */
function conditionsOf(search: AssetSearch): Condition[] {
  const { kind, state, deadline, tags, profile, similarTo } = search;
  const { minBytes, maxBytes, minDuration, maxDuration, createdAfter, createdBefore } = search;
  const conditions: Condition[] = [sql`tenant = ${search.tenant}`];
  const add = (value: unknown, condition: () => Condition): void => {
    if (value !== undefined) conditions.push(condition());
  };
  conditions.push(
    state === undefined ? sql`state <> 'deleted'` : state.length === 1 ? sql`state = ${state[0]}` : anyOf(state),
  );
  add(kind, () => sql`kind = ${kind}`);
  if (search.withoutImages) conditions.push(sql`kind is distinct from 'image'`);
  if (deadline && deadline.length > 0) conditions.push(deadlineIs(deadline));
  if (tags && tags.length > 0) conditions.push(sql`tags @> ${[...tags]}::text[]`);
  add(profile, () => sql`profile = ${profile}`);
  add(minBytes, () => sql`coalesce(bytes, 0) >= ${minBytes}`);
  add(maxBytes, () => sql`coalesce(bytes, 0) <= ${maxBytes}`);
  add(minDuration, () => sql`coalesce(duration, 0) >= ${minDuration}`);
  add(maxDuration, () => sql`coalesce(duration, 0) <= ${maxDuration}`);
  add(createdAfter, () => sql`created_at >= ${createdAfter}`);
  add(createdBefore, () => sql`created_at < ${createdBefore}`);
  if (similarTo) {
    const near = imagesNear(search.tenant, similarTo.hash, similarTo.maxDistance);
    conditions.push(sql`assets.id in (select id from (${near}) near)`);
  }
  return conditions;
}

const anyOf = (states: readonly AssetState[]): Condition => sql`state = any(${[...states]}::text[])`;

/** As `deadlineOf` of the API says it: what was on time and has passed is at risk, whoever has said so. */
const isOver = sql<boolean>`(deadline_state = 'on-time' and publish_by < now() and first_published_at is null
  and coalesce(publish_not_before, '-infinity') <= now())`;

function deadlineIs(states: readonly DeadlineState[]): Condition {
  const said = sql<boolean>`deadline_state = any(${[...states]}::text[])`;
  if (states.includes('at-risk')) return sql`(${said} or ${isOver})`;
  return states.includes('on-time') ? sql`(${said} and not ${isOver})` : said;
}
