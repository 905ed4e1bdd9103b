/** What playing needs of others. */
import type { ApiContext } from '../../api/context.js';
import type { Catalogue } from '../../catalogue/catalogue.js';
import { wanted } from '../../client/wanted.js';
import type { WantedSegment } from '../../contracts/progress.js';
import type { Logger } from '../../logging/logger.js';
import type { ObjectStore } from '../../storage/object-store.js';

export interface HttpPorts {
  readonly catalogue: Pick<Catalogue, 'find'>;
  readonly store: Pick<ObjectStore, 'stat' | 'read' | 'signedUrl'>;
  /** Tells a workflow that a viewer waits for a segment. Rejects when it can't be told. */
  readonly wanted: (workflowId: string, wanted: WantedSegment) => Promise<void>;
  readonly logger: Logger;
}

export interface HttpSettings {
  readonly mediaBucket: string;
  /** So long a request is held for a part that is not made yet. */
  readonly holdSeconds: number;
  /** So many requests may be held at once. */
  readonly maxHeld: number;
  /** So long a URL into the store is good for. */
  readonly signedUrlSeconds: number;
}

/** A segment that is asked for by a player that has gone since is of no use. Milliseconds. */
const WISH_DEADLINE = 5_000;

export const playPorts = ({ catalogue, store, logger, temporal }: ApiContext): HttpPorts => ({
  catalogue,
  store,
  logger,
  wanted: async (workflowId, wish) => {
    await temporal.withDeadline(Date.now() + WISH_DEADLINE, () => wanted(temporal, workflowId, wish));
  },
});

export const playSettings = ({ config }: ApiContext): HttpSettings => ({
  ...config.http,
  mediaBucket: config.storage.mediaBucket,
});
