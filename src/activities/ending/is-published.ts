import type { Catalogue } from '../../catalogue/catalogue.js';
import type { Job } from '../../contracts/assets.js';

/** The step that publishes may fail, or be cancelled, after the switch: players use that generation now. */
export async function isPublished(
  catalogue: Catalogue,
  { assetId, generation }: Pick<Job, 'assetId' | 'generation'>,
): Promise<boolean> {
  return (await catalogue.find(assetId))?.generation === generation;
}
