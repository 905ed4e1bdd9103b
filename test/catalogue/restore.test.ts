import { restored, RESTORED_BY, type StoredDocument } from '../../src/catalogue/restore.js';
import type { AssetDocument, AssetState, CatalogueEntry } from '../../src/contracts/assets.js';

const defaults = { tenant: 'default', profile: 'default' };

const entry = (revision: number, own: Partial<CatalogueEntry> = {}): CatalogueEntry => ({
  ...{ tenant: 'acme', profile: 'fast', priority: 2, tags: ['x'], metadata: {}, createdAt: '2026-01-01T00:00:00Z' },
  ...{ revision, history: [], ...own },
});

function stored(generation: number, state: AssetState, catalogue?: CatalogueEntry): StoredDocument {
  const document: AssetDocument = {
    ...{ id: 'a', workflowId: `w/g${generation}`, kind: 'video', state, renditions: [], playback: {} },
    source: { bucket: 'uploads', key: 'a/b c.mp4', etag: 'e', size: 5 },
    timings: { uploadedAt: '2026-01-01T00:00:00Z', startedAt: '2026-01-01T00:00:01Z', readyAt: '2026-01-01T00:00:09Z' },
    ...(catalogue && { catalogue }),
  };
  return { generation, document };
}

test('the last published generation plays, the latest one speaks', () => {
  const found = [stored(10, 'failed'), stored(2, 'partial'), stored(9, 'ready')];
  expect(restored(found, defaults)).toMatchObject({ latest: found[0], published: found[2] });
  expect(restored([stored(1, 'failed')], defaults).published).toBeUndefined();
});

test('what was written last of an asset is true, in whatever generation it stands', () => {
  const found = [stored(1, 'ready', entry(7, { title: 'new' })), stored(2, 'failed', entry(5, { title: 'old' }))];
  expect(restored(found, defaults).entry.title).toBe('new');
});

test('the transition that a document was written before is added, once', () => {
  const before = [{ at: '2026-01-01T00:00:02Z', to: 'processing', generation: 1, by: 'inspectMedia' }] as const;
  const { history } = restored([stored(1, 'ready', entry(2, { history: before }))], defaults);
  const last = { at: '2026-01-01T00:00:09Z', from: 'processing', to: 'ready', generation: 1, by: RESTORED_BY };
  expect(history).toEqual([...before, last]);
  expect(restored([stored(1, 'ready', entry(3, { history }))], defaults).history).toEqual(history);
});

test('a document from before it said so belongs to the tenant of the settings', () => {
  expect(restored([stored(1, 'ready')], defaults)).toMatchObject({
    entry: { tenant: 'default', profile: 'default', fileName: 'b c.mp4', bytes: 5, tags: [], metadata: {} },
    history: [{ to: 'ready', by: RESTORED_BY }],
  });
});
