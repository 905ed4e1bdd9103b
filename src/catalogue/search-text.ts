/** From what people type to what PostgreSQL searches for. Pure. */

const MAX_WORDS = 16;
/** A shorter beginning is the beginning of too much. */
const MIN_PREFIX = 3;

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
 * A tsquery that wants every word, and takes the last one for the beginning of a word that is still being typed.
 *
 * @param words of `wordsOf`
 * @param instead of each word, by its place: others that will do
 */
export function queryOf(words: readonly string[], instead: readonly (readonly string[])[] = []): string {
  const last = words.length - 1;
  return words
    .map((word, place) => {
      const own = place === last && word.length >= MIN_PREFIX ? `${quoted(word)}:*` : quoted(word);
      return `(${[own, ...(instead[place] ?? []).map(quoted)].join(' | ')})`;
    })
    .join(' & ');
}

const quoted = (word: string): string => `'${word.replace(/['\\]/g, '$&$&')}'`;
