/** Waits for an asset of an ingest, without a place of its own. */
import { FINAL_STATES } from '../../contracts/assets.js';
import type { AssetOutcome } from '../../contracts/ingest.js';
import type { AssetRow } from '../../catalogue/catalogue.js';
import type { ActivityContext } from '../context.js';
import { waitingFailure } from '../failures.js';
import { activity } from '../scope.js';

type Needs = Pick<ActivityContext, 'logger' | 'catalogue'>;

/** Between two looks. Seconds. */
const LONGEST_PAUSE = 5;

export function createAwaitAsset({ logger, catalogue }: Needs) {
  return activity(
    logger,
    async (scope, assetId: string, { isOver }: { readonly isOver: boolean }): Promise<AssetOutcome> => {
      const row = await catalogue.find(assetId);
      if (isOver || (row && FINAL_STATES.includes(row.state))) return outcomeOf(row);
      throw waitingFailure(`asset ${assetId} is being made`, Math.min(LONGEST_PAUSE, scope.info.attempt));
    },
    { isBrief: true },
  );
}

/** What was published stays published, whatever became of it later. */
function outcomeOf(row: AssetRow | undefined): AssetOutcome {
  return {
    encoded: row?.firstPublishedAt != null,
    publishedAt: row?.firstPublishedAt?.toISOString(),
    publishBy: row?.publishBy?.toISOString(),
    wasAtRisk:
      row !== undefined && (row.measures.length > 0 || ['at-risk', 'missed'].includes(row.deadlineState ?? '')),
    error: row?.error ?? undefined,
  };
}
