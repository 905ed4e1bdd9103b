/** The front doors' connections, opened and closed together. */
import { createCatalogueOn } from '../catalogue/postgres.js';
import { connect } from '../catalogue/database.js';
import { openTemporal } from '../client/lazy-connection.js';
import type { Config } from '../config/schema.js';
import type { Logger } from '../logging/logger.js';
import { createObjectStore } from '../storage/index.js';
import type { ApiContext } from './context.js';

export interface OpenContext {
  readonly ctx: ApiContext;
  /** Who is called by `ctx.wake`. */
  readonly onWake: (relay: () => void) => void;
  readonly close: () => Promise<void>;
}

/**
 * Waits for nobody: what is away is met by the request that needs it.
 *
 * @param role for people who look at what it did: `starter:http`
 */
export function openContext(config: Config, logger: Logger, role: string): OpenContext {
  const db = connect(config.catalogue);
  const catalogue = createCatalogueOn(db);
  const temporal = openTemporal(config.temporal, role);
  let relay = (): void => undefined;
  return {
    ctx: { config, logger, db, catalogue, store: createObjectStore(config.storage), temporal, wake: () => relay() },
    onWake: (listener) => (relay = listener),
    close: async () => {
      await temporal.connection.close();
      await db.destroy();
    },
  };
}
