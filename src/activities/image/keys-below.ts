import type { ObjectStore } from '../../storage/object-store.js';

/** Keys of all objects below a prefix. */
export async function keysBelow(
  store: ObjectStore,
  bucket: string,
  prefix: string,
  signal: AbortSignal,
): Promise<Set<string>> {
  const keys = new Set<string>();
  for await (const { key } of store.list(bucket, prefix, { signal })) keys.add(key);
  return keys;
}
