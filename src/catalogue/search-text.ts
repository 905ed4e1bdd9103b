/** From what people type to what PostgreSQL searches for. Pure. */
import type { Completions } from './vocabulary.js';

const MAX_WORDS = 16;

/** Without accents, case and punctuation: the same as `asset_fold` of the migration. */
export function wordsOf(text: string): string[] {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]+/g, '')
    .toLowerCase()
    .split(/[\s\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+/)
    .filter((word) => word !== '')
    .slice(0, MAX_WORDS);
}

/**
 * A tsquery that wants every word.
 *
 * @param words of `wordsOf`
 * @param completions of the last one, which may still be being typed
 * @param instead of each word, by its place: others that will do
 */
export function queryOf(
  words: readonly string[],
  completions: Completions,
  instead: readonly (readonly string[])[] = [],
): string {
  const last = words.length - 1;
  return words
    .map((word, place) => {
      const whole = completions === 'any' ? [] : completions;
      const own =
        place < last ? [quoted(word)] : [quoted(word) + (completions === 'any' ? ':*' : ''), ...whole.map(quoted)];
      return `(${[...own, ...(instead[place] ?? []).map(quoted)].join(' | ')})`;
    })
    .join(' & ');
}

const quoted = (word: string): string => `'${word.replace(/['\\]/g, '$&$&')}'`;
