/** What activities are given. Each factory asks only for the part that it uses. */
import type { Catalogue } from '../catalogue/catalogue.js';
import type { Database } from '../catalogue/database.js';
import type { Profiles } from '../config/profiles.js';
import type { Config } from '../config/schema.js';
import type { Logger } from '../logging/logger.js';
import type { ResultPublisher } from '../messaging/messaging.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { Scratch } from '../storage/scratch.js';
import type { Tools } from '../tools/tools.js';
import type { OpenTargets } from './deliver/targets.js';

export interface ActivityContext {
  readonly config: Config;
  readonly profiles: Profiles;
  readonly logger: Logger;
  readonly store: ObjectStore;
  readonly catalogue: Catalogue;
  /** The same database. Before a write through it: `assertAlive`. */
  readonly db: Database;
  readonly results: ResultPublisher;
  readonly scratch: Scratch;
  readonly tools: Tools;
  readonly targets: OpenTargets;
}
