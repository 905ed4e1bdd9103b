/** What a deleted asset leaves behind in the store: nothing, once nobody works on it any more. */
import { Context } from '@temporalio/activity';

import type { AssetRow } from '../../catalogue/catalogue.js';
import { adoptedPlaces, isAbandoned, isTwin, markPurged } from '../../catalogue/lifecycle.js';
import type { ActivityContext } from '../context.js';
import { activity, assertAlive, type ActivityScope } from '../scope.js';
import { endWork } from './end-work.js';
import { removeBelow } from './remove-below.js';
import { removeSource } from './remove-source.js';

type Needs = Pick<ActivityContext, 'config' | 'logger' | 'store' | 'catalogue' | 'db' | 'results'>;

export function createPurgeAsset(context: Needs) {
  const { logger, catalogue, db, results } = context;
  const purge = async (scope: ActivityScope, assetId: string): Promise<void> => {
    const row = await catalogue.find(assetId);
    if (row?.state !== 'deleted') return scope.logger.error('not deleted: nothing is removed', { assetId });
    const { workflowId, begun: generation, tenant, kind } = row;
    await results.state({ assetId, workflowId, generation, tenant, kind, state: 'deleted' });
    await endWork(scope, Context.current().client, row);
    const outputs = await removeOutputs(context, scope, row);
    const sources = await removeSource(context, scope, row);
    assertAlive();
    await markPurged(db, row);
    scope.logger.info('asset removed', { assetId, outputs, sources });
  };
  return activity(logger, purge, { neverGivesUp: true });
}

/** @returns how many objects were removed, each version counted */
async function removeOutputs(
  { config, store, db }: Needs,
  { signal }: Pick<ActivityScope, 'signal'>,
  row: AssetRow,
): Promise<number> {
  const shelf = { store, bucket: config.storage.mediaBucket, signal };
  let removed = await removeBelow(shelf, `assets/${row.id}/`, await adoptedPlaces(db, row.id));
  // The last one to play what another, deleted one made.
  if (isTwin(row) && (await isAbandoned(db, row.outputsPrefix!)))
    removed += await removeBelow(shelf, row.outputsPrefix!);
  return removed;
}
