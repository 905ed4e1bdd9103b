/** Words that a tenant's assets have, for those who have not typed all of one, or mistyped it. */
import { sql } from 'kysely';

import { mapped, type Database } from './database.js';

/** A shorter beginning is the beginning of too much. Letters. */
const MIN_BEGINNING = 3;
const MOST_COMPLETIONS = 100;
/** The vocabulary has no numbers. */
const NUMBER = /\d{3}/;

/** A word is what it is, and the beginning of others: `any` of too many to name them. */
export type Completions = readonly string[] | 'any';

export async function completionsOf(db: Database, tenant: string, beginning: string): Promise<Completions> {
  if ([...beginning].length < MIN_BEGINNING) return [];
  if (NUMBER.test(beginning)) return 'any';
  const query = sql<{ word: string }>`
    select word from asset_vocabulary
    where tenant = ${tenant} and word > ${beginning} and word < ${`${beginning}\u{10ffff}`}
    limit ${MOST_COMPLETIONS + 1}`;
  const { rows } = await mapped(() => query.execute(db));
  return rows.length > MOST_COMPLETIONS ? 'any' : rows.map(({ word }) => word);
}

/** Shorter words are like too many. Letters. */
const MIN_LIKE = 4;
const MOST_LIKE = 8;
/** Share of trigrams in common: one letter wrong, missing or too many in a word of six, or two swapped in one of eight. */
const LIKENESS = 0.35;

/** What a word may have been meant for, or is a part of: the likest first. */
export async function wordsLike(db: Database, tenant: string, word: string): Promise<string[]> {
  if ([...word].length < MIN_LIKE) return [];
  // No `%`, `_` or backslash is left in a word.
  const query = sql<{ word: string }>`
    select word from asset_vocabulary
    where tenant = ${tenant} and word <> ${word}
      and ((word % ${word} and similarity(word, ${word}) >= ${LIKENESS}) or word like ${`%${word}%`})
    order by similarity(word, ${word}) desc, word limit ${MOST_LIKE}`;
  const { rows } = await mapped(() => query.execute(db));
  return rows.map((row) => row.word);
}
