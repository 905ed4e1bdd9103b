/** Characters; the same for every source. */
const MAX_CHARACTERS = 200;

/** One printable line of what a file calls its copyright; undefined when nothing is left of it. */
export function copyrightLine(text: string): string | undefined {
  const line = text.replaceAll(/[\p{C}\uFFFD]+/gu, ' ').trim();
  return line.slice(0, MAX_CHARACTERS).trim() || undefined;
}
