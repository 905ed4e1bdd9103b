/** Tells the catalogue and the other services what happened, in this order, in the step that did it. */
import type { Catalogue, Transition } from '../catalogue/catalogue.js';
import { wantDeliveries } from '../catalogue/deliveries.js';
import { entryOf, findEntry } from '../catalogue/entry.js';
import { documentKey, type AssetDocument, type Job, type RenditionDocument } from '../contracts/assets.js';
import { MediaError } from '../contracts/errors.js';
import type { Rendition } from '../contracts/renditions.js';
import type { ResultPublisher } from '../messaging/messaging.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { ActivityContext } from './context.js';
import { countEnded, countPublished } from './count-assets.js';
import { holdBack } from './deadlines/hold-back.js';
import { settleDeadline } from './deadlines/publish-deadline.js';
import { targetsOf } from './deliver/onward.js';
import type { ActivityScope } from './scope.js';

interface Outlets {
  readonly catalogue: Catalogue;
  readonly results: ResultPublisher;
}

/** @returns false, without an event, when the catalogue refused: the asset is deleted or superseded, or this generation has ended. */
export async function announceState(to: Outlets, job: Job, transition: Transition): Promise<boolean> {
  const accepted = await to.catalogue.transition(job, transition);
  if (accepted) countEnded(transition);
  if (accepted) await publishState(to.results, job, transition);
  return accepted;
}

/**
 * The last step of every asset: `asset.json`, the atomic switch of the published generation, its events.
 * Its deadline is met or missed by it, unless a target must answer first.
 *
 * @throws MediaError OBJECT_GONE when another generation won
 */
export async function publishAsset(
  to: Outlets & Pick<ActivityContext, 'config' | 'store' | 'db' | 'profiles'>,
  { signal, info }: Pick<ActivityScope, 'signal' | 'info'>,
  job: Job,
  made: AssetDocument,
  { repair }: { readonly repair?: boolean | undefined } = {},
): Promise<void> {
  const document = (await holdBack(to, { signal, info }, job)) ? publishedNow(made) : made;
  const writtenFrom = await putDocument(to, job, document, signal);
  const transition = { to: document.state, by: info.activityType, kind: document.kind, document, repair, writtenFrom };
  await wantDeliveries(to.db, job, targetsOf(to, job));
  const won = await to.catalogue.publish(job, transition);
  if (!won) throw new MediaError('OBJECT_GONE', 'A later version of it has been published, or it was deleted.');
  if (!repair) countPublished(job, document);
  await publishState(to.results, job, transition, document.renditions);
  await settleUnlessRequired(to, job);
}

/** Where a target must answer, the last one that does settles it. */
export async function settleUnlessRequired(
  to: Pick<ActivityContext, 'db' | 'results' | 'profiles'>,
  job: Job,
): Promise<void> {
  if (!targetsOf(to, job).some(({ required }) => required)) await settleDeadline(to, job);
}

/** Nobody could see it before. */
const publishedNow = (document: AssetDocument, now = new Date().toISOString()): AssetDocument => ({
  ...document,
  timings: { ...document.timings, playableAt: now, readyAt: now },
});

/**
 * An attempt that published and died before it could say so: nothing is left to do but to say it.
 * Events have deterministic ids: a consumer can drop the second copy.
 *
 * @returns what was published, or undefined when nothing was
 */
export async function publishedBefore(
  to: Outlets & Pick<ActivityContext, 'db' | 'profiles'>,
  job: Job,
): Promise<AssetDocument | undefined> {
  const row = await to.catalogue.find(job.assetId);
  if (row?.generation !== job.generation || !row.document) return undefined;
  const { state, kind, document } = row;
  if (state !== 'ready' && state !== 'partial') return undefined;
  await publishState(to.results, job, { to: state, kind, document }, document.renditions);
  await settleUnlessRequired(to, job);
  return document;
}

/** `asset.json`, with all that the catalogue knows. @returns `Transition.writtenFrom` of the transition that follows */
export async function putDocument(
  { config, store, db }: Pick<ActivityContext, 'config' | 'store' | 'db'>,
  job: Job,
  document: AssetDocument,
  signal: AbortSignal,
): Promise<number> {
  const catalogue = (await findEntry(db, job.assetId)) ?? entryOf(job);
  const bytes = Buffer.from(JSON.stringify({ ...document, catalogue }, null, 2));
  const key = documentKey(job.assetId, job.generation);
  await store.putBytes(config.storage.mediaBucket, key, bytes, { contentType: 'application/json', signal });
  return catalogue.revision;
}

/** A rendition as others see it: its object key turned into a URL. */
export function renditionDocument(store: ObjectStore, mediaBucket: string, rendition: Rendition): RenditionDocument {
  const { key, ...rest } = rendition;
  return { ...rest, url: store.publicUrl(mediaBucket, key) };
}

const identity = (job: Job) => ({
  assetId: job.assetId,
  workflowId: job.workflowId,
  generation: job.generation,
  tenant: job.tenant,
});

/** Tells the other services alone: for steps that the catalogue was told in another way. */
export async function publishState(
  results: ResultPublisher,
  job: Job,
  { to: state, kind, error, document }: Omit<Transition, 'by'>,
  renditions: readonly RenditionDocument[] = [],
): Promise<void> {
  const change = { ...identity(job), kind: kind ?? null, state, error, image: document?.image };
  await results.state(change, renditions);
}
