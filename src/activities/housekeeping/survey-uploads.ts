/** The same for the bucket of uploads. */
import { allAssets, findAssets, findUploadStates } from '../../catalogue/strays.js';
import { assetIdOf } from '../../contracts/ids.js';
import { hintsOfMetadata } from '../../contracts/object-hints.js';
import { apiPrefixOf } from '../../contracts/uploads.js';
import { MediaError } from '../../contracts/errors.js';
import type { ObjectVersion } from '../../storage/object-store.js';
import type { Finding, SurveyContext, SurveyOptions } from './findings.js';

/** Objects that are looked up at once. */
const PAGE = 500;

export async function* surveyUploads(context: SurveyContext, options: SurveyOptions): AsyncGenerator<Finding> {
  const { store, config } = context;
  const { uploadsBucket: bucket, uploadsPrefix } = config.storage;
  const startedAt = new Date();
  const before = Date.now() - options.minAgeSeconds * 1000;
  let page: ObjectVersion[] = [];
  for await (const version of store.listVersions(bucket, uploadsPrefix, { signal: options.signal })) {
    // A key that ends so names a folder; and what is young may have its event on the way.
    if (version.isDeleteMarker || version.key.endsWith('/') || version.modifiedAt.getTime() > before) continue;
    page.push(version);
    if (page.length < PAGE) continue;
    yield* judge(context, options, page);
    page = [];
  }
  yield* judge(context, options, page);
  if (options.deep) yield* rowsWithoutSource(context, options, startedAt);
}

async function* judge(
  { store, db, config }: SurveyContext,
  { minAgeSeconds, signal }: SurveyOptions,
  versions: readonly ObjectVersion[],
): AsyncGenerator<Finding> {
  const { uploadsBucket: bucket, uploadsPrefix } = config.storage;
  const idOf = ({ key, versionId, etag }: ObjectVersion): string => assetIdOf({ bucket, key, versionId, etag });
  const rows = await findAssets(db, versions.map(idOf));
  const uploads = await findUploadStates(
    db,
    bucket,
    versions.map(({ key }) => key),
  );
  for (const version of versions) {
    const { key, versionId, etag } = version;
    const row = rows.get(idOf(version));
    if (row && row.state !== 'deleted') {
      if (row.sourceRemovedAt) yield { what: 'upload-unwanted', key, versionId };
      continue;
    }
    if (row) {
      const isBeingRemoved = !row.purgedAt && row.updatedAt.getTime() > Date.now() - minAgeSeconds * 1000;
      if (!isBeingRemoved) yield { what: 'upload-unwanted', key, versionId };
      continue;
    }
    const state = uploads.get(key);
    // Ended by those who end uploads.
    if (state === 'open') continue;
    if (state !== undefined || key.startsWith(apiPrefixOf(uploadsPrefix))) {
      yield { what: 'upload-unwanted', key, versionId };
    } else if (await isAcceptable(version)) yield { what: 'upload-without-row', key, versionId, etag };
  }

  /** What the starter would refuse, it has refused. */
  async function isAcceptable({ key, versionId }: ObjectVersion): Promise<boolean> {
    try {
      const options = { signal, ...(versionId !== 'null' && { versionId }) };
      return hintsOfMetadata((await store.stat(bucket, key, options)).metadata).ok;
    } catch (error) {
      if (MediaError.is(error) && (error.code === 'OBJECT_MISSING' || error.code === 'OBJECT_KEY_INVALID'))
        return false;
      throw error;
    }
  }
}

async function* rowsWithoutSource(
  { store, db }: SurveyContext,
  { signal }: SurveyOptions,
  startedAt: Date,
): AsyncGenerator<Finding> {
  for await (const row of allAssets(db, startedAt)) {
    if (row.state === 'deleted' || row.sourceRemovedAt || row.updatedAt > startedAt) continue;
    const versionId = row.job?.source.versionId;
    try {
      await store.stat(row.bucket, row.key, { signal, versionId });
    } catch (error) {
      if (!MediaError.is(error) || error.code !== 'OBJECT_MISSING') throw error;
      yield { what: 'row-without-source', assetId: row.id };
    }
  }
}
