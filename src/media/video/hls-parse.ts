/** Reads playlists back, as far as the rules of how to write them need it. */

export type Attributes = ReadonlyMap<string, string>;

interface Tag {
  readonly name: string;
  readonly value: string;
}

export interface Variant {
  readonly attributes: Attributes;
  readonly uri: string;
}

export interface Master {
  readonly variants: readonly Variant[];
  readonly media: readonly Attributes[];
  readonly iframes: readonly Attributes[];
  /** Names of all tags. */
  readonly tags: ReadonlySet<string>;
}

export interface Entry {
  /** Seconds. */
  readonly seconds: number;
  readonly uri: string;
  /** `length@offset` */
  readonly range?: string | undefined;
}

export interface MediaList {
  readonly entries: readonly Entry[];
  /** Value of each tag that speaks of the whole playlist. */
  readonly tags: ReadonlyMap<string, string>;
}

/** Quotes are taken off. */
function attributesOf(list: string): Attributes {
  const pairs = list.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^",]*)/g);
  return new Map([...pairs].map(([, name, value]) => [name!, value!.replace(/^"|"$/g, '')]));
}

const linesOf = (text: string): string[] => text.split(/\r?\n/).filter((line) => line !== '');

function tagOf(line: string): Tag | undefined {
  const found = /^#(EXT[A-Z0-9-]*)(?::(.*))?$/.exec(line);
  return found ? { name: found[1]!, value: found[2] ?? '' } : undefined;
}

export function parseMaster(text: string): Master {
  const lines = linesOf(text);
  const tags = lines.flatMap((line) => tagOf(line) ?? []);
  const all = (name: string): Attributes[] =>
    tags.filter((tag) => tag.name === name).map((tag) => attributesOf(tag.value));
  return {
    variants: lines.flatMap((line, i) => {
      const tag = tagOf(line);
      return tag?.name === 'EXT-X-STREAM-INF' ? [{ attributes: attributesOf(tag.value), uri: lines[i + 1] ?? '' }] : [];
    }),
    media: all('EXT-X-MEDIA'),
    iframes: all('EXT-X-I-FRAME-STREAM-INF'),
    tags: new Set(tags.map(({ name }) => name)),
  };
}

export function parseMedia(text: string): MediaList {
  const entries: Entry[] = [];
  const tags = new Map<string, string>();
  let seconds = NaN;
  let range: string | undefined;
  for (const line of linesOf(text)) {
    const tag = tagOf(line);
    if (tag?.name === 'EXTINF') seconds = Number.parseFloat(tag.value);
    else if (tag?.name === 'EXT-X-BYTERANGE') range = tag.value;
    else if (tag) tags.set(tag.name, tag.value);
    else if (!line.startsWith('#')) {
      entries.push({ seconds, uri: line, range });
      [seconds, range] = [NaN, undefined];
    }
  }
  return { entries, tags };
}
