/** What a published asset names and the store does not have. */
import type { AssetRow } from '../../catalogue/catalogue.js';
import { outputPrefix, type RenditionDocument } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { SurveyContext } from './findings.js';

/**
 * @param all also the segments that its playlists name; otherwise only what its document does
 * @returns keys
 */
export async function missingObjects(
  { store, config }: Pick<SurveyContext, 'store' | 'config'>,
  { id, generation, outputsPrefix, document }: AssetRow,
  all: boolean,
  signal: AbortSignal,
): Promise<string[]> {
  const bucket = config.storage.mediaBucket;
  const there = new Set<string>();
  const places = new Set([outputsPrefix!, outputPrefix(id, generation)]);
  for (const place of places) for await (const { key } of store.list(bucket, place, { signal })) there.add(key);
  const named = [`${outputPrefix(id, generation)}asset.json`];
  const { hls, dash, poster, storyboard } = document?.playback ?? {};
  named.push(...[hls, dash, poster, storyboard].flatMap((url) => (url === undefined ? [] : [keyOf(url)])));
  for (const { url, mime } of document?.renditions ?? ([] as RenditionDocument[])) {
    const key = keyOf(url);
    named.push(key);
    if (all && mime === PLAYLIST) named.push(...(await namedBy(key)));
  }
  return named.filter((key) => !there.has(key));

  async function namedBy(playlist: string): Promise<string[]> {
    try {
      const text = (await store.read(bucket, playlist, { signal })).toString('utf8');
      return urisOf(text).map((uri) => playlist.replace(/[^/]+$/, uri));
    } catch (error) {
      if (MediaError.is(error) && error.code === 'OBJECT_MISSING') return [];
      throw error;
    }
  }
}

const PLAYLIST = 'application/vnd.apple.mpegurl';

/** The base of the URLs in a document is the one of the day that it was written. */
const keyOf = (url: string): string => decodeURIComponent(/assets\/[0-9a-f]{24}\/g\d+\/.*$/.exec(url)?.[0] ?? url);

/** RFC 8216: lines that are no tag, and the init segment. */
function urisOf(playlist: string): string[] {
  const maps = [...playlist.matchAll(/^#EXT-X-MAP:.*URI="([^"]+)"/gm)].map(([, uri]) => uri!);
  const lines = playlist.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  return [...maps, ...lines];
}
