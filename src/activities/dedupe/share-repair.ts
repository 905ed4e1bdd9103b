/** What was mended in one place is told by all assets that play from there. */
import { twinsOf } from '../../catalogue/contents.js';
import { jobOf } from '../../catalogue/lifecycle.js';
import { outputPrefix, type AssetDocument, type Job } from '../../contracts/assets.js';
import { publishState, putDocument } from '../announce.js';
import type { ActivityContext } from '../context.js';
import type { ActivityScope } from '../scope.js';

type Needs = Pick<ActivityContext, 'config' | 'store' | 'catalogue' | 'db' | 'results'>;

export async function shareRepair(
  context: Needs,
  { signal, info }: Pick<ActivityScope, 'signal' | 'info'>,
  job: Job,
  mended: AssetDocument,
): Promise<void> {
  const outputsPrefix = outputPrefix(job.assetId, job.generation);
  for (const row of await twinsOf(context.db, outputsPrefix, job.assetId)) {
    if (!row.document) continue;
    const { id, workflowId, source, timings } = row.document;
    const document: AssetDocument = { ...mended, id, workflowId, source, timings, outputsPrefix };
    const twin = jobOf(row);
    const { state, kind } = document;
    const writtenFrom = await putDocument(context, twin, document, signal);
    const publication = { to: state, by: info.activityType, kind, document, outputsPrefix, repair: true, writtenFrom };
    // Refused: it was deleted, or is being made anew.
    if (await context.catalogue.publish(twin, publication))
      await publishState(context.results, twin, publication, document.renditions);
  }
}
