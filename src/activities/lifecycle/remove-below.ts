import type { ObjectStore, ObjectVersion } from '../../storage/object-store.js';

/** At most so many are held in memory, and removed in one request. */
const BATCH = 1000;

/**
 * All versions of all objects below a prefix, and unfinished uploads there.
 *
 * @param kept prefixes below it that stay, without their `asset.json`
 * @returns how many versions were removed
 */
export async function removeBelow(
  { store, bucket, signal }: { readonly store: ObjectStore; readonly bucket: string; readonly signal: AbortSignal },
  prefix: string,
  kept: readonly string[] = [],
): Promise<number> {
  // `assets/1` would take `assets/12` with it, and the empty prefix the whole bucket.
  if (!/[^/]\/$/.test(prefix)) throw new TypeError('a prefix to remove must end with a slash');
  // Uploads first: one that completes meanwhile is then an object that the listing finds.
  await store.abortUploads(bucket, prefix);
  let removed = 0;
  const batch: ObjectVersion[] = [];
  for await (const version of store.listVersions(bucket, prefix, { signal })) {
    // What an asset says of itself goes with it, though its outputs stay.
    if (kept.some((place) => version.key.startsWith(place) && version.key !== `${place}asset.json`)) continue;
    batch.push(version);
    removed += 1;
    if (batch.length === BATCH) await store.removeVersions(bucket, batch.splice(0));
  }
  if (batch.length > 0) await store.removeVersions(bucket, batch);
  return removed;
}
