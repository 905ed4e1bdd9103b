/** One asset with all that is known of it. */
import { findDeliveries } from '../../catalogue/deliveries.js';
import type { Caller } from '../caller.js';
import { mustAllow } from '../caller.js';
import type { ApiContext } from '../context.js';
import { findAsset } from './find.js';
import { progressNow } from './progress.js';
import { resourceOf } from './resource.js';
import type { Asset } from './schemas.js';

/** `revision` counts every change of it, except its progress. */
export interface Versioned {
  readonly asset: Asset;
  readonly revision: number;
}

/** @throws ApiProblem `asset-unknown` */
export async function getAsset(ctx: ApiContext, caller: Caller, assetId: string): Promise<Versioned> {
  mustAllow(caller, 'read');
  const row = await findAsset(ctx, caller, assetId);
  const [history, progress, deliveries] = await Promise.all([
    ctx.catalogue.history(assetId),
    progressNow(ctx, row),
    row.generation > 0 ? findDeliveries(ctx.db, { assetId, generation: row.generation }) : [],
  ]);
  return { asset: resourceOf(row, ctx.config, { history, progress, deliveries }), revision: row.revision };
}
