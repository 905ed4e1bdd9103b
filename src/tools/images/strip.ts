/** All frames of an animation, one below the other in one lossless picture, for a program that can't read the animation. */
import sharp from 'sharp';

import type { StripSpec } from '../tools.js';
import { TOLERANT } from './open.js';
import type { FrameStrip, ImageCall } from './protocol.js';

/** Where a file says nothing; what browsers take. Milliseconds. */
const DEFAULT_DELAY = 100;

export async function strip({ file, spec, maxPixels }: ImageCall & { op: 'strip' }): Promise<FrameStrip> {
  const { name, width, height }: StripSpec = spec;
  const image = sharp(file, { ...TOLERANT, animated: true, limitInputPixels: maxPixels });
  const { pages = 1, delay = [] } = await image.metadata();
  const { width: wide, height: high } = await image
    .resize(width, height, { fit: 'fill' })
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    // Read once and thrown away: speed, not size.
    .png({ compressionLevel: 1 })
    .toFile(name);
  return { width: wide, height: high, delays: Array.from({ length: pages }, (_, i) => delay[i] ?? DEFAULT_DELAY) };
}
