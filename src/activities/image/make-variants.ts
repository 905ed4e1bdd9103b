/** Renders variants in a slot and reads them back as verified bytes. */
import { join } from 'node:path';

import { MediaError } from '../../contracts/errors.js';
import type { ImageTraits, ImageVariant } from '../../contracts/image.js';
import { findFault } from '../../media/image/verify.js';
import type { ImageSlot, RenderOptions } from '../../tools/tools.js';
import { readRegularFile } from '../untrusted-file.js';

export interface FinishedVariant {
  readonly variant: ImageVariant;
  readonly bytes: Buffer;
}

/**
 * The bytes that were verified are the bytes returned: whatever still runs in the slot can't exchange them.
 *
 * @param onFinished called for each variant while others are still encoded; must not throw
 * @throws MediaError VERIFY_FAILED naming the variant, and the errors of `ImageSlot.renderWithTraits`
 */
export async function makeVariants(
  slot: ImageSlot,
  file: string,
  variants: readonly ImageVariant[],
  onFinished?: (finished: FinishedVariant) => void,
): Promise<{ readonly finished: FinishedVariant[]; readonly traits: ImageTraits }> {
  const { finished, result } = await collect(
    slot,
    variants,
    (options) => slot.renderWithTraits(file, variants, options),
    onFinished,
  );
  return { finished, traits: result.traits };
}

async function collect<T>(
  slot: ImageSlot,
  variants: readonly ImageVariant[],
  render: (options: RenderOptions) => Promise<T>,
  onFinished?: (finished: FinishedVariant) => void,
): Promise<{ readonly finished: FinishedVariant[]; readonly result: T }> {
  const byName = new Map(variants.map((variant) => [variant.name, variant]));
  const reading = new Map<string, Promise<FinishedVariant>>();
  const read = (variant: ImageVariant): Promise<FinishedVariant> => {
    const finished = readBack(slot, variant).then((made) => {
      onFinished?.(made);
      return made;
    });
    reading.set(variant.name, finished);
    // Whoever waits for all of them hears of it.
    finished.catch(() => undefined);
    return finished;
  };
  const onFile = ({ name }: { readonly name: string }): void => {
    const variant = byName.get(name);
    if (variant && !reading.has(name)) void read(variant);
  };
  try {
    const result = await render({ onFile });
    return {
      result,
      finished: await Promise.all(variants.map((variant) => reading.get(variant.name) ?? read(variant))),
    };
  } finally {
    await Promise.allSettled(reading.values());
  }
}

async function readBack(slot: ImageSlot, variant: ImageVariant): Promise<FinishedVariant> {
  const bytes = await readRegularFile(join(slot.dir, variant.name));
  const fault = bytes ? findFault(bytes, variant) : 'it is missing';
  if (!bytes || fault) throw new MediaError('VERIFY_FAILED', `${variant.name}: ${fault}.`);
  return { variant, bytes };
}
