/** How pictures are opened: those of strangers, and our own. */
import sharp, { type SharpOptions } from 'sharp';

import type { Size } from './protocol.js';

/**
 * `none`: what decodes is shown and what is missing stays grey, as viewers do. Real cameras and phones write files
 * that the stricter levels refuse (an Ultra HDR photograph whose gain map was cut off, for one).
 */
export const TOLERANT: SharpOptions = { failOn: 'none' };

/** The outputs are our own: there nothing may be wrong. */
const STRICT: SharpOptions = { failOn: 'warning' };

/** Decodes what was written, whole, and tells its size. */
export async function reopen(file: string): Promise<Size> {
  const image = sharp(file, STRICT);
  const { width, height } = await image.metadata();
  // Scaling while decoding keeps this cheap; every byte is still read.
  await image.resize(8, 8, { fit: 'fill' }).raw().toBuffer();
  return { width, height };
}
