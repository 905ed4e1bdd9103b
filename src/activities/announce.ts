/** Tells the catalogue and the other services what happened, in this order, in the step that did it. */
import type { Catalogue, Transition } from '../catalogue/catalogue.js';
import { outputPrefix, type Job, type RenditionDocument } from '../contracts/assets.js';
import type { Rendition } from '../contracts/renditions.js';
import type { ResultPublisher } from '../messaging/messaging.js';
import type { ObjectStore } from '../storage/object-store.js';

interface Outlets {
  readonly catalogue: Catalogue;
  readonly results: ResultPublisher;
}

/** @returns false, without an event, when the catalogue refused: the asset is deleted or superseded, or this generation has ended. */
export async function announceState(to: Outlets, job: Job, transition: Transition): Promise<boolean> {
  const accepted = await to.catalogue.transition(job, transition);
  if (accepted) await publishState(to.results, job, transition);
  return accepted;
}

/** The atomic switch of the published generation, then its event. @returns false when another generation won. */
export async function announcePublished(
  to: Outlets,
  job: Job,
  transition: Parameters<Catalogue['publish']>[1],
): Promise<boolean> {
  const won = await to.catalogue.publish(job, transition);
  if (won) await publishState(to.results, job, transition);
  return won;
}

export async function announceRendition(
  results: ResultPublisher,
  job: Job,
  rendition: RenditionDocument,
): Promise<void> {
  await results.rendition({ ...identity(job), rendition });
}

/** A rendition as others see it: its object key turned into a URL. */
export function renditionDocument(store: ObjectStore, mediaBucket: string, rendition: Rendition): RenditionDocument {
  const { key, ...rest } = rendition;
  return { ...rest, url: store.publicUrl(mediaBucket, key) };
}

export function documentKey(job: Job): string {
  return `${outputPrefix(job.assetId, job.generation)}asset.json`;
}

const identity = (job: Job) => ({
  assetId: job.assetId,
  workflowId: job.workflowId,
  generation: job.generation,
  tenant: job.tenant,
});

async function publishState(results: ResultPublisher, job: Job, { to: state, kind, error }: Transition): Promise<void> {
  await results.state({ ...identity(job), kind: kind ?? null, state, error });
}
