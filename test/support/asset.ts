import type { AssetRow } from '../../src/catalogue/catalogue.js';

/** A row as the catalogue gives it. @param own what differs */
export function assetRowOf(own: Partial<AssetRow> = {}): AssetRow {
  const now = new Date();
  return {
    ...{ id: 'a'.repeat(24), workflowId: 'w', bucket: 'uploads', key: 'x', version: '1', tenant: 'default' },
    ...{ kind: 'video', state: 'processing', generation: 0, begun: 1, error: null, document: null },
    ...{ title: null, fileName: 'x', tags: [], metadata: {}, profile: 'default', priority: 3 },
    ...{ bytes: null, duration: null, contentType: null, job: null, apiKey: null, legalHold: false },
    ...{ sourceSha256: null, outputsPrefix: null, revision: 1, purgedAt: null, sourceRemovedAt: null },
    ...{ publishBy: null, publishNotBefore: null, firstPublishedAt: null },
    ...{ deadlineState: null, projectedAt: null, measures: [] },
    ...{ createdAt: now, updatedAt: now },
    ...own,
  };
}
