/** A copy of what is published in another bucket: whole before anything names it, and compared. */
import { join } from 'node:path';

import pLimit from 'p-limit';

import type { Config } from '../../config/schema.js';
import { documentKey } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { BucketTarget } from '../../contracts/targets.js';
import { createObjectStore, type ObjectStore, type Scratch } from '../../storage/index.js';
import { CHANGEABLE, IMMUTABLE } from '../cache-control.js';
import { assertAlive } from '../scope.js';
import { isChangeable, publishedKeys, type PublishedObject } from './published.js';
import { Refused, type Parcel, type Target } from './target.js';

const START_SECONDS = 2;
/** Requests at once of one delivery. */
const AT_ONCE = 6;
/** Larger objects go by way of a file. */
const IN_MEMORY = 8 * 1024 * 1024;

interface From {
  readonly config: Config;
  readonly store: ObjectStore;
  readonly scratch: Scratch;
}

export function createBucketTarget(spec: BucketTarget, from: From): Target {
  const { endpoint, region = 'us-east-1', accessKey, secretKey, bucket, prefix = '' } = spec;
  const { startSeconds = START_SECONDS, min = 0, max = from.config.publishers.max } = spec;
  const { storage } = from.config;
  const to = createObjectStore({
    ...storage,
    endpoint,
    region,
    accessKey,
    secretKey,
    publicUrl: '',
    mediaBucket: bucket,
  });
  return {
    kind: 'bucket',
    rules: { min, max, startSeconds, reusable: true },
    async start(signal) {
      // Name, rights and bucket are right, and there is a connection.
      await asRefused(async () => {
        for await (const _ of to.list(bucket, `${prefix}.mediamill`, { signal })) break;
      });
      return { publish: (parcel, during) => copy(from, { store: to, bucket, prefix }, parcel, during) };
    },
  };
}

interface To {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly prefix: string;
}

/** What is there already is not copied again: an attempt goes on where the one before it ended. */
async function copy(from: From, to: To, parcel: Parcel, signal: AbortSignal): Promise<void> {
  const { mediaBucket } = from.config.storage;
  const objects = await publishedKeys(from.store, mediaBucket, parcel.prefix, signal);
  const there = await asRefused(() => listing(to, parcel, signal));
  const missing = objects.filter((object) => !isSame(object, there.get(to.prefix + object.key)));
  const limit = pLimit(AT_ONCE);
  // Playlists and manifest after what they name.
  for (const late of [false, true]) {
    const now = missing.filter(({ key }) => isChangeable(key) === late);
    for (const batch of late ? now.map((one) => [one]) : [now])
      await Promise.all(batch.map((object) => limit(() => copyOne(from, to, object, signal))));
  }
  const copied = await asRefused(() => listing(to, parcel, signal));
  const differs = objects.find((object) => !isSame(object, copied.get(to.prefix + object.key)));
  if (differs) throw new Refused(`What was written is not what is there: ${differs.key}.`);
  await asRefused(() => finish(to, parcel, new Set(objects.map(({ key }) => to.prefix + key)), copied, signal));
}

/** `asset.json` says that it is whole; then what is published no more goes. */
async function finish(
  { store, bucket, prefix }: To,
  { assetId, generation, document }: Parcel,
  current: ReadonlySet<string>,
  there: ReadonlyMap<string, PublishedObject>,
  signal: AbortSignal,
): Promise<void> {
  const key = prefix + documentKey(assetId, generation);
  assertAlive();
  const bytes = Buffer.from(JSON.stringify(document, null, 2));
  await store.putBytes(bucket, key, bytes, { contentType: 'application/json', cacheControl: CHANGEABLE, signal });
  const gone = [...there.keys()].filter((other) => other !== key && !current.has(other));
  if (gone.length > 0) await store.remove(bucket, gone);
}

async function listing(
  { store, bucket, prefix }: To,
  parcel: Parcel,
  signal: AbortSignal,
): Promise<Map<string, PublishedObject>> {
  const found = new Map<string, PublishedObject>();
  for await (const object of store.list(bucket, prefix + parcel.prefix, { signal })) found.set(object.key, object);
  return found;
}

/** An etag with a dash is of an upload in parts: that says nothing about the bytes. */
function isSame(source: PublishedObject, copied: PublishedObject | undefined): boolean {
  if (source.bytes !== copied?.bytes) return false;
  const isOfParts = source.etag.includes('-') || copied.etag.includes('-');
  return isOfParts || source.etag === copied.etag;
}

async function copyOne(
  { config, store, scratch }: From,
  to: To,
  object: PublishedObject,
  signal: AbortSignal,
): Promise<void> {
  const { key, bytes } = object;
  const { mediaBucket } = config.storage;
  const { contentType = 'application/octet-stream' } = await store.stat(mediaBucket, key, { signal });
  const options = { contentType, cacheControl: isChangeable(key) ? CHANGEABLE : IMMUTABLE, signal };
  if (bytes <= IN_MEMORY) {
    const content = await store.read(mediaBucket, key, { signal });
    assertAlive();
    return asRefused(() => to.store.putBytes(to.bucket, to.prefix + key, content, options));
  }
  await scratch.withJobDir('deliver', async (dir) => {
    const path = join(dir, 'object');
    await store.download(mediaBucket, key, path, { signal });
    assertAlive();
    await asRefused(() => to.store.putFile(to.bucket, to.prefix + key, path, options));
  });
}

/** Errors of the other store say nothing about ours. */
async function asRefused<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!MediaError.is(error)) throw error;
    throw new Refused(
      error.code === 'OBJECT_MISSING' ? 'There is no such bucket.' : 'Its store refuses or can not be reached.',
      {
        cause: error,
      },
    );
  }
}
