/** How much waits to leave the catalogue, for whoever looks at the metrics. */
import { countOutbox } from '../../catalogue/outbox.js';
import type { Database } from '../../catalogue/database.js';
import type { OutboxKind } from '../../contracts/outbox.js';
import { beforeScrape, metrics } from '../../metrics/index.js';

const NOTHING: Readonly<Record<OutboxKind, number>> = { upload: 0, start: 0, delete: 0, document: 0, webhook: 0 };

export function watchOutbox(db: Database): void {
  beforeScrape('outbox', async () => {
    metrics.outboxRows.clear();
    const rows = { ...NOTHING, ...(await countOutbox(db)) };
    for (const kind of Object.keys(rows) as OutboxKind[]) metrics.outboxRows.set({ kind }, rows[kind]);
  });
}
