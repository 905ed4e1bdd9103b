/** What the front doors share: each use-case asks only for the part that it uses. */
import type { Client } from '@temporalio/client';

import type { Catalogue } from '../catalogue/catalogue.js';
import type { Database } from '../catalogue/database.js';
import type { Config } from '../config/schema.js';
import type { Logger } from '../logging/logger.js';
import type { ObjectStore } from '../storage/object-store.js';

export interface ApiContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly catalogue: Catalogue;
  /** The same database, for what is no business of workers: keys, uploads, search. */
  readonly db: Database;
  readonly store: ObjectStore;
  /** Connects when first needed: the front doors stay open while Temporal is away. */
  readonly temporal: Client;
  /** Something was written to the outbox: the relay of this process looks at once, those of others soon. */
  readonly wake: () => void;
}
