/** Writes `asset.json` again, so that the catalogue can be rebuilt from the store. */
import { findEntry } from '../../catalogue/entry.js';
import { documentKey } from '../../contracts/assets.js';
import type { OutboxPayloads } from '../../contracts/outbox.js';
import type { RelayContext } from './relay.js';

export async function relayDocument(
  { config, catalogue, db, store }: Pick<RelayContext, 'config' | 'catalogue' | 'db' | 'store'>,
  { assetId }: OutboxPayloads['document'],
): Promise<void> {
  const bucket = config.storage.mediaBucket;
  for (;;) {
    const entry = await findEntry(db, assetId);
    const row = await catalogue.find(assetId);
    // Deleted, or its first document is yet to be written.
    if (!entry || !row?.document) return;
    const key = documentKey(assetId, row.generation || row.begun);
    const bytes = Buffer.from(JSON.stringify({ ...row.document, catalogue: entry }, null, 2));
    await store.putBytes(bucket, key, bytes, { contentType: 'application/json' });
    const now = await catalogue.find(assetId);
    // Whoever removes its objects may have been here before.
    if (now?.state === 'deleted') return store.remove(bucket, [key]);
    // Of two that write at once, the one that ends last may have read first.
    if (now?.revision === entry.revision) return;
  }
}
