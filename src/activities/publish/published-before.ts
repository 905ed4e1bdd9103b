/** An attempt that published and died before it could say so: nothing is left to do but to say it. */
import type { PublishRequest, PublishResult } from '../../contracts/activities.js';
import { masterKey, PLAYLIST_FILE, streamPrefix } from '../../media/video/layout.js';
import { announceRendition } from '../announce.js';
import type { ActivityContext } from '../context.js';

/** Events have deterministic ids: a consumer can drop the second copy. */
export async function publishedBefore(
  { catalogue, results }: Pick<ActivityContext, 'catalogue' | 'results'>,
  { job, plan, posters }: PublishRequest,
): Promise<PublishResult | undefined> {
  const row = await catalogue.find(job.assetId);
  if (row?.generation !== job.generation || !row.document) return undefined;
  const { state } = row;
  if (state !== 'ready' && state !== 'partial') return undefined;
  const keyOf = (name: string, type: string): string =>
    type === 'video' || type === 'audio'
      ? streamPrefix(job, type, name) + PLAYLIST_FILE
      : (posters.find((poster) => poster.name === name)?.key ?? '');
  const renditions = row.document.renditions.map(({ url: _url, ...rest }) => ({
    ...rest,
    key: keyOf(rest.name, rest.type),
  }));
  for (const rendition of row.document.renditions) await announceRendition(results, job, rendition);
  const { assetId, workflowId, generation, tenant } = job;
  await results.state({ assetId, workflowId, generation, tenant, kind: plan.kind, state });
  return { state, kind: plan.kind, renditions, masterKey: masterKey(job) };
}
