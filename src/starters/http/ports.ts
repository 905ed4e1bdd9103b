/** What the server needs of others. */
import type { Catalogue } from '../../catalogue/catalogue.js';
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
