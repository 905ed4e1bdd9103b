/** Follows one asset until it has ended. However many follow it, the catalogue and the workflow are asked once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

import type { AssetRow, Catalogue } from '../../catalogue/catalogue.js';
import { FINAL_STATES } from '../../contracts/assets.js';
import { mustAllow, type Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problems.js';
import { progressNow } from './progress.js';
import { resourceOf } from './resource.js';
import type { Asset, AssetProgress } from './schemas.js';

export interface Sight {
  readonly asset: Asset;
  /** Of all but the progress. */
  readonly revision: number;
  /** Nothing more will happen by itself: it is the last one. */
  readonly isLast: boolean;
}

/** Milliseconds. */
const EVERY = 1_000;
/** All who look within it see the same row. Milliseconds. */
const FRESH_MS = 400;
const ASSETS = 10_000;

type Rows = LRUCache<string, { readonly row: AssetRow | undefined }>;
const caches = new WeakMap<Catalogue, Rows>();

/**
 * Now, and each second until it has ended, with its progress.
 *
 * @throws ApiProblem `asset-unknown`; what the catalogue rejects with
 */
export async function* watchAsset(
  ctx: ApiContext,
  caller: Caller,
  assetId: string,
  signal: AbortSignal,
): AsyncGenerator<Sight, void, undefined> {
  mustAllow(caller, 'read');
  let progress: AssetProgress | undefined;
  while (!signal.aborted) {
    const next = Date.now() + EVERY;
    const row = await rowOf(ctx, assetId);
    if (row?.tenant !== caller.tenant) throw new ApiProblem('asset-unknown');
    const isLast = FINAL_STATES.includes(row.state);
    // What was known a second ago says more than nothing.
    progress = isLast ? undefined : ((await progressNow(ctx, row)) ?? progress);
    yield { asset: resourceOf(row, ctx.config, { progress }), revision: row.revision, isLast };
    if (isLast) return;
    // An abort is no failure: nobody looks any more.
    await sleep(Math.max(0, next - Date.now()), undefined, { signal }).catch(() => undefined);
  }
}

async function rowOf({ catalogue }: ApiContext, assetId: string): Promise<AssetRow | undefined> {
  let rows = caches.get(catalogue);
  if (!rows) {
    rows = new LRUCache({
      max: ASSETS,
      ttl: FRESH_MS,
      fetchMethod: async (id) => ({ row: await catalogue.find(id) }),
    });
    caches.set(catalogue, rows);
  }
  return (await rows.fetch(assetId))?.row;
}
