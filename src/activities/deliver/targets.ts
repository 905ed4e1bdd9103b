/** The targets of a process, each with its publishers: opened when they are needed first. */
import type { Config } from '../../config/schema.js';
import type { Targets } from '../../config/targets.js';
import { MediaError } from '../../contracts/errors.js';
import type { PoolState } from '../../contracts/publisher-pool.js';
import type { Logger } from '../../logging/logger.js';
import { beforeScrape, metrics } from '../../metrics/index.js';
import type { ObjectStore, Scratch } from '../../storage/index.js';
import { createBucketTarget } from './bucket.js';
import { Publishers } from './publishers.js';
import { createPurgeTarget } from './purge.js';
import { createSimulated } from './simulated.js';
import type { Target } from './target.js';
import { createWebhookTarget } from './webhook.js';

export interface OpenTargets {
  /** @throws MediaError TARGET_UNKNOWN */
  get(name: string): Publishers;
  /** Starts what is always to be ready. */
  warm(): void;
  close(): Promise<void>;
}

interface Needs {
  readonly config: Config;
  readonly targets: Targets;
  readonly logger: Logger;
  readonly store: ObjectStore;
  readonly scratch: Scratch;
}

export function openTargets(needs: Needs): OpenTargets {
  const open = new Map<string, Publishers>();
  const get = (name: string): Publishers => {
    const publishers = open.get(name) ?? new Publishers(targetOf(name, needs), needs.logger.child({ target: name }));
    open.set(name, publishers);
    return publishers;
  };
  const stopTelling = beforeScrape('publishers', async () => tell([...open.values()].map(({ state }) => state)));
  return {
    get,
    warm() {
      for (const name of needs.targets.keys()) get(name).warm();
    },
    async close() {
      stopTelling();
      await Promise.all([...open.values()].map((publishers) => publishers.close()));
    },
  };
}

/** Of all targets together: their names are the operator's, not a closed list. */
function tell(states: readonly PoolState[]): void {
  const sum = (of: 'starting' | 'ready' | 'busy' | 'target'): number =>
    states.reduce((all, state) => all + state[of], 0);
  for (const state of ['starting', 'ready', 'busy'] as const) metrics.publishers.set({ state }, sum(state));
  metrics.publishersWanted.set({}, sum('target'));
}

function targetOf(name: string, { targets, config, store, scratch }: Needs): Target {
  const spec = targets.get(name);
  switch (spec?.type) {
    case 'bucket':
      return createBucketTarget(spec, { config, store, scratch });
    case 'webhook':
      return createWebhookTarget(spec, config);
    case 'purge':
      return createPurgeTarget(spec, config, store);
    case 'simulated':
      return createSimulated(spec, config.publishers.max);
    default:
      throw new MediaError('TARGET_UNKNOWN', `It is called ${name}.`);
  }
}
