/** What of a generation others may have: no plans and no remains of work. */
import { MADE_FILE, MANIFEST_FILE, MASTER_FILE, PLAN_FILE } from '../../media/video/layout.js';
import type { ObjectStore } from '../../storage/object-store.js';

export interface PublishedObject {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
}

const isOurs = (name: string): boolean => name === PLAN_FILE || name === MADE_FILE || name.startsWith('work/');

/** Without `asset.json`. In the order in which they may appear elsewhere: nothing names what is not there yet. */
export async function publishedKeys(
  store: ObjectStore,
  bucket: string,
  prefix: string,
  signal: AbortSignal,
): Promise<PublishedObject[]> {
  const found: PublishedObject[] = [];
  for await (const object of store.list(bucket, prefix, { signal })) {
    const name = object.key.slice(prefix.length);
    if (!isOurs(name) && name !== ASSET_FILE) found.push(object);
  }
  return found.sort((a, b) => rank(a.key) - rank(b.key));
}

export const ASSET_FILE = 'asset.json';

/** Its name stays and its content may change, by an upgrade or a repair. */
export const isChangeable = (key: string): boolean => /\.(m3u8|mpd)$/.test(key) || key.endsWith(`/${ASSET_FILE}`);

function rank(key: string): number {
  if (key.endsWith(`/${MASTER_FILE}`) || key.endsWith(`/${MANIFEST_FILE}`)) return 2;
  return isChangeable(key) ? 1 : 0;
}
