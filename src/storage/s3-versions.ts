/** All versions of objects, delete markers too. Of a bucket without versions, the only one is called `null`. */
import type { Client } from 'minio';

import { MediaError } from '../contracts/errors.js';
import type { ObjectVersion } from './object-store.js';
import type { Request } from './s3-transport.js';

/** S3: at most so many keys in one delete request and in one page of a listing. */
const PAGE = 1000;

/** What the client's types leave out of a version. */
interface Listed {
  readonly name?: string;
  readonly size?: number | string;
  readonly etag?: string;
  readonly versionId?: string;
  readonly lastModified?: Date | string;
  readonly isDeleteMarker?: boolean | string;
}

export async function* listVersions(
  client: Client,
  request: Request,
  bucket: string,
  prefix: string,
): AsyncGenerator<ObjectVersion> {
  const query = { Delimiter: '', MaxKeys: PAGE, IncludeVersion: true };
  let markers: { keyMarker?: string | undefined; versionIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await request(() => client.listObjectsQuery(bucket, prefix, undefined, { ...query, ...markers }));
    for (const object of page.objects as readonly Listed[]) {
      if (object.name === undefined) continue;
      yield {
        key: String(object.name),
        versionId: String(object.versionId ?? 'null'),
        etag: String(object.etag ?? '').replaceAll('"', ''),
        bytes: Number(object.size ?? 0),
        modifiedAt: new Date(object.lastModified ?? 0),
        isDeleteMarker: isTrue(object.isDeleteMarker),
      };
    }
    if (!isTrue(page.isTruncated) || page.keyMarker === undefined) return;
    markers = { keyMarker: page.keyMarker, versionIdMarker: page.versionIdMarker };
  }
}

/** The client's parser leaves words as they are. */
const isTrue = (value: unknown): boolean => value === true || value === 'true';

/** @throws MediaError STORE_UNAVAILABLE when one of them is left */
export async function removeVersions(
  client: Client,
  request: Request,
  bucket: string,
  versions: readonly Pick<ObjectVersion, 'key' | 'versionId'>[],
): Promise<void> {
  // XML 1.0, the form of the bulk request, can't carry control characters.
  const isOdd = ({ key }: { readonly key: string }): boolean => /\p{Cc}/u.test(key);
  for (const { key, versionId } of versions.filter(isOdd))
    await request(() => client.removeObject(bucket, key, { versionId }));
  const plain = versions.filter((version) => !isOdd(version));
  for (let start = 0; start < plain.length; start += PAGE) {
    const batch = plain.slice(start, start + PAGE).map(({ key, versionId }) => ({ name: key, versionId }));
    const failures = await request(() => client.removeObjects(bucket, batch));
    if (failures.length > 0) {
      const cause = new Error(`${failures.length} versions were not removed: ${JSON.stringify(failures[0])}`);
      throw new MediaError('STORE_UNAVAILABLE', undefined, { cause });
    }
  }
}
