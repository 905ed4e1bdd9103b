/** Rows of kind `start`: a workflow, unless its asset has ended before it began. */
import { createCatalogueOn } from '../../catalogue/postgres.js';
import { guessKind, planStart, startWorkflow } from '../../client/start.js';
import type { AssetState } from '../../contracts/assets.js';
import type { OutboxPayloads } from '../../contracts/outbox.js';
import { metrics } from '../../metrics/index.js';
import type { RelayContext } from './relay.js';

/** Nothing is begun for these. */
const OVER: readonly AssetState[] = ['failed', 'cancelled'];

export async function relayStart(
  { config, db, temporal, logger }: Pick<RelayContext, 'config' | 'db' | 'temporal' | 'logger'>,
  { job, workflowType, contentType, fileName }: OutboxPayloads['start'],
): Promise<void> {
  const row = await createCatalogueOn(db).find(job.assetId);
  if (row?.state === 'deleted' || (row && OVER.includes(row.state) && row.begun >= job.generation)) {
    logger.info('not started: the asset has ended', { assetId: job.assetId, state: row.state });
    return;
  }
  const kind = guessKind(contentType, fileName ?? job.source.key);
  const plan = planStart(job, contentType, config.queues, kind, fileName);
  await startWorkflow(temporal, { ...plan, workflowType: workflowType ?? plan.workflowType });
  metrics.starts.inc({ kind: kind === 'image' ? 'image' : 'video' });
  logger.debug('workflow started', { assetId: job.assetId, workflowId: job.workflowId });
}
