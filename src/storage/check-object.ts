/** Whether an object that somebody else wrote is what was announced. */
import { createHash } from 'node:crypto';

import type { ObjectStat, ObjectStore } from './object-store.js';

export interface Announced {
  /** Bytes; null: not announced. */
  readonly size: number | null;
  /** 64 hexadecimal digits; null: not announced. */
  readonly sha256: string | null;
}

export type Checked =
  | { readonly ok: true; readonly object: ObjectStat & { readonly sha256?: string | undefined } }
  /** A sentence. */
  | { readonly ok: false; readonly problem: string };

const READ_BYTES = 8 * 1024 * 1024;

/**
 * Asks the store; where a SHA-256 was announced that it does not know, reads the object.
 *
 * @throws MediaError OBJECT_MISSING, OBJECT_GONE, STORE_UNAVAILABLE
 */
export async function checkObject(
  store: ObjectStore,
  bucket: string,
  key: string,
  { size, sha256 }: Announced,
  signal?: AbortSignal,
): Promise<Checked> {
  const object = await store.stat(bucket, key, { signal });
  if (object.bytes === 0) return { ok: false, problem: 'The file is empty.' };
  if (size !== null && object.bytes !== size) {
    return { ok: false, problem: `${size} bytes were announced, ${object.bytes} came.` };
  }
  if (sha256 === null) return { ok: true, object };
  const actual = (await store.parts.checksum(bucket, key)) ?? (await read(store, bucket, key, object, signal));
  if (actual !== sha256) return { ok: false, problem: `Their SHA-256 is ${actual}.` };
  return { ok: true, object: { ...object, sha256 } };
}

async function read(
  store: ObjectStore,
  bucket: string,
  key: string,
  { bytes, etag, versionId }: ObjectStat,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes; at += READ_BYTES) {
    hash.update(await store.readRange(bucket, key, at, READ_BYTES, { versionId, etag, signal }));
  }
  return hash.digest('hex');
}
