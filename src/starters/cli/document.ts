import type { AssetRow } from '../../catalogue/catalogue.js';
import type { AssetDocument } from '../../contracts/assets.js';

/** The published document; before there is one, what the catalogue knows in the same form. */
export function documentOf(row: AssetRow): AssetDocument {
  if (row.document) return row.document;
  const createdAt = row.createdAt.toISOString();
  return {
    id: row.id,
    workflowId: row.workflowId,
    kind: row.kind,
    state: row.state,
    source: { bucket: row.bucket, key: row.key },
    renditions: [],
    playback: {},
    ...(row.error && { error: row.error }),
    // The store knows better when it was uploaded; the catalogue heard of it when work began.
    timings: { uploadedAt: createdAt, startedAt: createdAt },
  };
}
