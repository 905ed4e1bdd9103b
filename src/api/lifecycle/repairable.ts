/** What of a published asset can be made again alone. */
import type { AssetRow } from '../../catalogue/catalogue.js';
import { isTwin } from '../../catalogue/lifecycle.js';
import { POSTER } from '../../contracts/plan.js';

/** Of an image, and of what another asset made, only the whole. */
export const isRepairable = (row: AssetRow): boolean =>
  (row.state === 'ready' || row.state === 'partial') && row.kind !== 'image' && !isTwin(row);

/** By the names that its renditions have, and those that are missing: the part that holds it. The pictures of one poster are made together. */
export function partsOf({ document }: AssetRow): ReadonlyMap<string, string> {
  const parts = new Map((document?.missing ?? []).map(({ name }) => [name, name]));
  for (const { name, type } of document?.renditions ?? []) parts.set(name, type === 'poster' ? POSTER : name);
  if (document?.playback.poster) parts.set(POSTER, POSTER);
  return parts;
}
