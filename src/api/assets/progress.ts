/** How far the work on an asset is, for everybody who asks at that moment. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { LRUCache } from 'lru-cache';

import type { AssetRow } from '../../catalogue/catalogue.js';
import { liveProgress } from '../../client/progress.js';
import { FINAL_STATES } from '../../contracts/assets.js';
import type { ApiContext } from '../context.js';
import { progressOf } from './resource.js';
import type { AssetProgress } from './schemas.js';

/** All who ask within it get the same answer. Milliseconds. */
const FRESH_MS = 500;
/** A status must not wait for an engine that is away. Milliseconds. */
const DEADLINE = 2_000;
const ASSETS = 10_000;

type Asked = LRUCache<string, { readonly progress: AssetProgress | undefined }, ApiContext>;
const caches = new WeakMap<Client, Asked>();

/** Undefined where no work is under way, or the engine can't tell: the rest of a status is true without it. */
export async function progressNow(ctx: ApiContext, row: AssetRow): Promise<AssetProgress | undefined> {
  if (FINAL_STATES.includes(row.state)) return undefined;
  return (await cacheOf(ctx.temporal).fetch(row.workflowId, { context: ctx }))?.progress;
}

function cacheOf(temporal: Client): Asked {
  let cache = caches.get(temporal);
  if (!cache) {
    cache = new LRUCache<string, { readonly progress: AssetProgress | undefined }, ApiContext>({
      max: ASSETS,
      ttl: FRESH_MS,
      fetchMethod: async (workflowId, _stale, { context }) => ({ progress: await ask(context, workflowId) }),
    });
    caches.set(temporal, cache);
  }
  return cache;
}

async function ask({ temporal, logger }: ApiContext, workflowId: string): Promise<AssetProgress | undefined> {
  try {
    const handle = temporal.workflow.getHandle(workflowId);
    return progressOf(await temporal.withDeadline(Date.now() + DEADLINE, () => liveProgress(handle)));
  } catch (error) {
    // Received and not begun; or the workers are away, who answer such questions.
    if (!(error instanceof WorkflowNotFoundError)) logger.debug('no progress to be had', { workflowId, error });
    return undefined;
  }
}
