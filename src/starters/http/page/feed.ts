/** What happens among a tenant's assets, looked up once a second however many look on. */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { ApiContext } from '../../../api/context.js';
import { progressNow } from '../../../api/assets/progress.js';
import { resourceOf } from '../../../api/assets/resource.js';
import type { Asset, AssetProgress } from '../../../api/assets/schemas.js';
import { changedSince, databaseNow, underWay } from '../../../catalogue/changes.js';

export type FeedMessage =
  | { readonly event: 'asset'; readonly data: Asset }
  | { readonly event: 'progress'; readonly data: AssetProgress & { readonly id: string } };
export type Listener = (message: FeedMessage) => void;

/** Milliseconds. */
const EVERY = 1_000;
/** A change is dated when its transaction began, and seen when it ended. Milliseconds. */
const OVERLAP = 5_000;
const CHANGES = 500;
/** Of more than these at once nobody watches the bars. */
const WATCHED = 48;
const ASKED_AT_ONCE = 8;

export class Feeds {
  readonly #feeds = new Map<string, Set<Listener>>();

  constructor(private readonly ctx: ApiContext) {}

  /** @returns what ends it */
  listen(tenant: string, listener: Listener): () => void {
    let listeners = this.#feeds.get(tenant);
    if (!listeners) {
      listeners = new Set();
      this.#feeds.set(tenant, listeners);
      void this.#look(tenant, listeners);
    }
    listeners.add(listener);
    const all = listeners;
    return () => all.delete(listener);
  }

  /** Ends with the last listener. */
  async #look(tenant: string, listeners: Set<Listener>): Promise<void> {
    const { db, config, logger } = this.ctx;
    const tell: Listener = (message) => {
      for (const listener of listeners) listener(message);
    };
    const limit = pLimit(ASKED_AT_ONCE);
    let since: Date | undefined;
    /** Revisions within the overlap. */
    let seen = new Map<string, number>();
    // The first listener is added when this has been called.
    await Promise.resolve();
    while (listeners.size > 0) {
      try {
        since ??= await databaseNow(db);
        const rows = await changedSince(db, tenant, new Date(since.getTime() - OVERLAP), CHANGES);
        for (const row of rows)
          if (seen.get(row.id) !== row.revision) tell({ event: 'asset', data: resourceOf(row, config) });
        seen = new Map(rows.map(({ id, revision }) => [id, revision]));
        const last = rows.at(-1)?.updatedAt;
        // A full page may not hold the overlap: on from where it ends.
        if (last) since = new Date(last.getTime() + (rows.length === CHANGES ? OVERLAP : 0));
        const active = await underWay(db, tenant, WATCHED);
        await Promise.all(
          active.map((row) =>
            limit(async () => {
              const progress = await progressNow(this.ctx, row);
              if (progress) tell({ event: 'progress', data: { id: row.id, ...progress } });
            }),
          ),
        );
      } catch (error) {
        // Those who look on wait, as everybody does while the catalogue is away.
        logger.debug('could not look for changes', { error });
      }
      await sleep(EVERY);
    }
    this.#feeds.delete(tenant);
  }
}
