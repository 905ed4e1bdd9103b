/** The first thing that a step which begins an asset's work says; and whether it is still wanted. */
import type { Transition } from '../catalogue/catalogue.js';
import type { Job } from '../contracts/assets.js';
import { MediaError } from '../contracts/errors.js';
import { announceState } from './announce.js';
import type { ActivityContext } from './context.js';

type Needs = Pick<ActivityContext, 'catalogue' | 'results'>;

/**
 * Without it, hours of work would only find out at their end that nobody wants what they bring.
 *
 * @param isSilent other services are not told
 * @throws MediaError OBJECT_GONE when the asset is deleted or superseded; when this generation has ended already, why it did
 */
export async function beginWork(
  context: Needs,
  job: Job,
  transition: Transition,
  { isSilent = false }: { readonly isSilent?: boolean } = {},
): Promise<void> {
  const accepted = await (isSilent
    ? context.catalogue.transition(job, transition)
    : announceState(context, job, transition));
  if (accepted) return;
  const row = await context.catalogue.find(job.assetId);
  const hasEnded = row?.begun === job.generation && (row.state === 'cancelled' || row.state === 'failed');
  throw new MediaError(hasEnded && row.error ? row.error.code : 'OBJECT_GONE', undefined, { final: true });
}
