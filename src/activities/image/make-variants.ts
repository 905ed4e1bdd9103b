/** Renders variants in a slot and reads them back as verified bytes. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { MediaError } from '../../contracts/errors.js';
import type { ImageVariant } from '../../contracts/plan.js';
import { findFault } from '../../media/image/verify.js';
import type { ImageSlot } from '../../tools/tools.js';

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
      const fault = findFault(bytes, variant);
      if (fault) throw new MediaError('VERIFY_FAILED', `${variant.name}: ${fault}.`);
      return { variant, bytes };
    }),
  );
}

/** The folder belongs to a process that is not trusted: a link there could lead to any file of ours, a pipe could hang. */
async function readRegularFile(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new MediaError('VERIFY_FAILED', 'An output is not a file.');
    return await file.readFile();
  } finally {
    await file.close();
  }
}
