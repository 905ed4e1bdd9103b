import type { PictureFacts } from '../../media/image/plan.js';
import type { ImageSlot } from '../../tools/tools.js';
import type { OpenedPicture } from './open-picture.js';

/**
 * What is drawn by programs has a channel for transparency more often than anything transparent: JPEG does for it, at a
 * tenth of the size of a PNG. Costs one more decode of such files, and of no others.
 */
export async function withRealAlpha(
  slot: Pick<ImageSlot, 'isOpaque'>,
  { file, facts }: Pick<OpenedPicture, 'file' | 'facts'>,
): Promise<PictureFacts> {
  return facts.hasAlpha && (await slot.isOpaque(file)) ? { ...facts, hasAlpha: false } : facts;
}
