/** What `asset.json` keeps of a row. */
import { sql } from 'kysely';

import type { CatalogueEntry, ContentEntry, HistoryEntry, Job } from '../contracts/assets.js';
import { ASSET_COLUMNS, assetRow } from './asset-row.js';
import { mapped, type Database } from './database.js';

/** Of an asset whose row is yet to be made. */
export const entryOf = ({
  tenant,
  profile,
  priority,
  metadata,
  source,
  uploadedAt,
  ...wishes
}: Job): CatalogueEntry => ({
  ...{ tenant, profile, priority, tags: [], metadata: metadata ?? {} },
  fileName: source.key.split('/').at(-1),
  contentType: source.contentType,
  bytes: source.size,
  sourceSha256: source.sha256,
  publishBy: wishes.publishBy,
  publishNotBefore: wishes.publishNotBefore,
  createdAt: uploadedAt,
  revision: 0,
  history: [],
});

/** @returns undefined where there is no such asset, or a tombstone only */
export async function findEntry(db: Database, assetId: string): Promise<CatalogueEntry | undefined> {
  const query = db
    .selectFrom('assets')
    .select(ASSET_COLUMNS)
    .select(
      sql<HistoryEntry[]>`(
        select json_agg(json_strip_nulls(json_build_object('at', at, 'from', from_state, 'to', to_state,
          'generation', generation, 'by', step, 'error', error)) order by id)
        from asset_history where asset_id = assets.id)`.as('history'),
    )
    // Of a profile that it had before it stands for nothing any more.
    .select(
      sql<ContentEntry[] | null>`(
        select json_agg(json_build_object('sha256', sha256, 'profile', contents.profile) order by sha256, contents.profile)
        from contents where asset_id = assets.id and starts_with(contents.profile, assets.profile || '@'))`.as(
        'contents',
      ),
    )
    .where('assets.id', '=', assetId)
    .where('state', '<>', 'deleted');
  const record = await mapped(() => query.executeTakeFirst());
  if (!record) return undefined;
  const row = assetRow(record);
  return {
    tenant: row.tenant,
    profile: row.profile,
    priority: row.priority,
    title: row.title ?? undefined,
    fileName: row.fileName ?? undefined,
    tags: row.tags,
    metadata: row.metadata,
    contentType: row.contentType ?? undefined,
    bytes: row.bytes ?? undefined,
    sourceSha256: row.sourceSha256 ?? undefined,
    contents: record.contents ?? undefined,
    apiKey: row.apiKey ?? undefined,
    legalHold: row.legalHold || undefined,
    publishBy: row.publishBy?.toISOString(),
    publishNotBefore: row.publishNotBefore?.toISOString(),
    createdAt: row.createdAt.toISOString(),
    sourceRemovedAt: row.sourceRemovedAt?.toISOString(),
    revision: row.revision,
    history: record.history ?? [],
  };
}
