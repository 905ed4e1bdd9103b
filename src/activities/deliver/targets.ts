/** The targets of a process, each with its publishers: opened when they are needed first. */
import type { Config } from '../../config/schema.js';
import type { Targets } from '../../config/targets.js';
import { MediaError } from '../../contracts/errors.js';
import type { Logger } from '../../logging/logger.js';
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
  return {
    get,
    warm() {
      for (const name of needs.targets.keys()) get(name).warm();
    },
    async close() {
      await Promise.all([...open.values()].map((publishers) => publishers.close()));
    },
  };
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
