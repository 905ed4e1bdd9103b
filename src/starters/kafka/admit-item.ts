/** From a line of an ingest to an item: of a file, the store is asked what it is. */
import { guessKind } from '../../client/start.js';
import type { Config } from '../../config/schema.js';
import type { Priority } from '../../contracts/assets.js';
import type { Refusal } from '../../contracts/events.js';
import type { IngestItem } from '../../contracts/ingest.js';
import type { IngestEventData } from '../../contracts/ingest-event.js';
import { itemOf } from '../../contracts/ingest-line.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { admit } from './admit.js';

export type AdmittedItem =
  | { readonly ok: true; readonly item: IngestItem }
  | { readonly ok: false; readonly reason: Refusal; readonly detail: string };

/** @throws MediaError STORE_UNAVAILABLE, which says nothing about the item: try again later */
export async function admitItem(
  { id, line, object, ...defaults }: IngestEventData,
  store: ObjectStore,
  starter: Config['starter'],
): Promise<AdmittedItem> {
  if (!object) return { ok: true, item: itemOf(line, id, defaults) };
  const { publishBy, publicationTimeout, publishNotBefore, contentType, profile, metadata } = line;
  const said = { publishBy, publicationTimeout, publishNotBefore, contentType, profile, metadata };
  const tenant = line.tenant ?? defaults.tenant;
  const priority = line.priority as Priority | undefined;
  const admission = await admit({ ...object, ...said, tenant, priority }, store, starter);
  if (admission.outcome === 'admitted') {
    const { job } = admission;
    const media = guessKind(line.contentType, object.key);
    return { ok: true, item: itemOf(line, id, defaults, { job, media }) };
  }
  const { reason } = admission;
  return admission.outcome === 'refused'
    ? { ok: false, reason: admission.reason, detail: admission.detail }
    : { ok: false, reason: 'OBJECT_MISSING', detail: reason };
}
