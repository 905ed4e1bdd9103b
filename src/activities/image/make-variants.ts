/** Renders variants in a slot and reads them back as verified bytes. */
import { join } from 'node:path';

import { MediaError } from '../../contracts/errors.js';
import type { ImageVariant } from '../../contracts/image.js';
import { findFault } from '../../media/image/verify.js';
import type { ImageSlot } from '../../tools/tools.js';
import { readRegularFile } from '../untrusted-file.js';

export interface FinishedVariant {
  readonly variant: ImageVariant;
  readonly bytes: Buffer;
}

/**
 * The bytes that were verified are the bytes returned: whatever still runs in the slot can't exchange them.
 *
 * @throws MediaError VERIFY_FAILED naming the variant, and the errors of `ImageSlot.render`
 */
export async function makeVariants(
  slot: ImageSlot,
  file: string,
  variants: readonly ImageVariant[],
): Promise<FinishedVariant[]> {
  await slot.render(file, variants);
  return Promise.all(
    variants.map(async (variant) => {
      const bytes = await readRegularFile(join(slot.dir, variant.name));
      const fault = bytes ? findFault(bytes, variant) : 'it is missing';
      if (!bytes || fault) throw new MediaError('VERIFY_FAILED', `${variant.name}: ${fault}.`);
      return { variant, bytes };
    }),
  );
}
