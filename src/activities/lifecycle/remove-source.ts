/** The raw upload of an asset, out of the store. */
import type { AssetRow } from '../../catalogue/catalogue.js';
import { isUploadKey } from '../../catalogue/lifecycle.js';
import { assetIdOf } from '../../contracts/ids.js';
import type { ObjectVersion } from '../../storage/object-store.js';
import type { ActivityContext } from '../context.js';
import type { ActivityScope } from '../scope.js';

type Needs = Pick<ActivityContext, 'store' | 'db'>;

/**
 * Other versions of the same key are other assets, or are about to be: they stay. Only a key that we gave out for one
 * upload is that upload's alone.
 *
 * @returns how many versions were removed
 */
export async function removeSource(
  { store, db }: Needs,
  { signal }: Pick<ActivityScope, 'signal'>,
  { id, bucket, key }: Pick<AssetRow, 'id' | 'bucket' | 'key'>,
): Promise<number> {
  const isOurs = await isUploadKey(db, bucket, key);
  if (isOurs) await store.abortUploads(bucket, key);
  const versions: ObjectVersion[] = [];
  for await (const version of store.listVersions(bucket, key, { signal })) {
    if (version.key === key) versions.push(version);
  }
  const isSource = ({ versionId, etag, isDeleteMarker }: ObjectVersion): boolean =>
    !isDeleteMarker && assetIdOf({ bucket, key, versionId, etag }) === id;
  const gone = isOurs ? versions : versions.filter(isSource);
  const left = versions.filter((version) => !gone.includes(version));
  // A delete marker that hides nothing any more.
  if (left.every(({ isDeleteMarker }) => isDeleteMarker)) gone.push(...left);
  if (gone.length > 0) await store.removeVersions(bucket, gone);
  return gone.length;
}
