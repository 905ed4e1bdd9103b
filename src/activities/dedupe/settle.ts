/** Who makes the outputs of these bytes: this job, or another asset that has them or is about to. */
import type { AssetRow } from '../../catalogue/catalogue.js';
import { wantDeliveries } from '../../catalogue/deliveries.js';
import { adoptOutputs, claimContent, type Content } from '../../catalogue/contents.js';
import type { AssetDocument, Job } from '../../contracts/assets.js';
import { heldBackFor } from '../../contracts/deadlines.js';
import { MediaError } from '../../contracts/errors.js';
import { putDocument, publishState, settleUnlessRequired } from '../announce.js';
import type { ActivityContext } from '../context.js';
import { countPublished } from '../count-assets.js';
import { targetsOf } from '../deliver/onward.js';
import { releaseAtOnce } from '../lifecycle/release-source.js';
import { assertAlive, type ActivityScope } from '../scope.js';

type Needs = Pick<ActivityContext, 'config' | 'store' | 'db' | 'results' | 'profiles'>;

export type Settlement =
  /** It is to be made. */
  | { readonly outcome: 'mine' }
  /** The asset is published, by what another one had published. */
  | { readonly outcome: 'adopted'; readonly document: AssetDocument }
  /** Another asset is being made of these bytes: ask again later. */
  | { readonly outcome: 'busy'; readonly holder: AssetRow };

/**
 * The asset must have a row. One that is made again is made again, whoever else has its bytes.
 *
 * @throws MediaError OBJECT_GONE when the asset was deleted meanwhile
 */
export async function settle(
  context: Needs,
  scope: ActivityScope,
  job: Job,
  content: Content,
  startedAt: string,
): Promise<Settlement> {
  for (;;) {
    assertAlive();
    // What is held back until its time stands for nothing before, and nobody is to wait for it.
    if (heldBackFor(job.publishNotBefore, Date.now()) > 0) return { outcome: 'mine' };
    const claim = await claimContent(context.db, content, job);
    if (job.generation > 1 || claim.outcome === 'mine') return { outcome: 'mine' };
    if (claim.outcome === 'busy') return claim;
    const document = await adopt(context, scope, job, { ...claim.holder, sourceSha256: content.sha256 }, startedAt);
    if (document) return { outcome: 'adopted', document };
  }
}

/** @returns undefined when the holder has changed meanwhile */
async function adopt(
  context: Needs,
  scope: ActivityScope,
  job: Job,
  holder: AssetRow,
  startedAt: string,
): Promise<AssetDocument | undefined> {
  const { signal, info, logger } = scope;
  if (!holder.document || holder.outputsPrefix === null) throw new MediaError('INTERNAL');
  const document = twinDocument(job, holder.document, holder.outputsPrefix, startedAt);
  const writtenFrom = await putDocument(context, job, document, signal);
  const { state, kind, renditions } = document;
  const publication = {
    to: state,
    by: info.activityType,
    kind,
    document,
    writtenFrom,
    facts: { sourceSha256: holder.sourceSha256 ?? undefined },
  };
  await wantDeliveries(context.db, job, targetsOf(context, job));
  const outcome = await adoptOutputs(context.db, job, publication, holder);
  if (outcome === 'stale') return undefined;
  if (outcome === 'refused')
    throw new MediaError('OBJECT_GONE', 'A later version of it has been published, or it was deleted.');
  countPublished(job, document);
  await publishState(context.results, job, publication, renditions);
  await settleUnlessRequired(context, job);
  await releaseAtOnce(context, scope, job, state);
  logger.info(`the same bytes as another asset: ${state}`, { assetId: job.assetId, holder: holder.id });
  return document;
}

/** What is said of an asset whose outputs are another's. */
export function twinDocument(
  job: Job,
  holder: AssetDocument,
  outputsPrefix: string,
  startedAt: string,
  now: string = new Date().toISOString(),
): AssetDocument {
  return {
    ...holder,
    id: job.assetId,
    workflowId: job.workflowId,
    source: job.source,
    outputsPrefix,
    timings: { uploadedAt: job.uploadedAt, startedAt, playableAt: now, readyAt: now },
  };
}
