/** Rows of the table `assets` and what the rest of the service reads. */
import type { Selectable } from 'kysely';

import type { AssetRow } from './catalogue.js';
import type { Tables } from './database.js';

/** Not those that only searches use: they are large. */
export const ASSET_COLUMNS = [
  ...(['assets.id', 'workflow_id', 'bucket', 'key', 'version', 'tenant', 'kind', 'state', 'begun'] as const),
  ...(['generation', 'error', 'document', 'title', 'file_name', 'tags', 'metadata', 'profile', 'priority'] as const),
  ...(['bytes', 'duration', 'content_type', 'job', 'api_key', 'legal_hold', 'source_sha256'] as const),
  ...(['outputs_prefix', 'revision', 'purged_at', 'source_removed_at', 'created_at', 'updated_at'] as const),
  ...(['publish_by', 'publish_not_before', 'first_published_at'] as const),
  ...(['deadline_state', 'projected_at', 'deadline_measures'] as const),
] as const;

type Unread = 'sha256' | 'perceptual_hash' | 'words' | 'names' | 'swept_below';
export type AssetRecord = Omit<Selectable<Tables['assets']>, Unread>;

export function assetRow(row: AssetRecord): AssetRow {
  return {
    id: row.id,
    workflowId: row.workflow_id,
    bucket: row.bucket,
    key: row.key,
    version: row.version,
    tenant: row.tenant,
    kind: row.kind,
    state: row.state,
    generation: row.generation,
    begun: row.begun,
    error: row.error,
    document: row.document,
    title: row.title,
    fileName: row.file_name,
    tags: row.tags,
    metadata: row.metadata,
    profile: row.profile,
    priority: row.priority,
    bytes: row.bytes === null ? null : Number(row.bytes),
    duration: row.duration,
    contentType: row.content_type,
    job: row.job,
    apiKey: row.api_key,
    legalHold: row.legal_hold,
    sourceSha256: row.source_sha256,
    outputsPrefix: row.outputs_prefix,
    revision: row.revision,
    purgedAt: row.purged_at,
    sourceRemovedAt: row.source_removed_at,
    publishBy: row.publish_by,
    publishNotBefore: row.publish_not_before,
    firstPublishedAt: row.first_published_at,
    deadlineState: row.deadline_state,
    projectedAt: row.projected_at,
    measures: row.deadline_measures,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
