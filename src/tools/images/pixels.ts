/** Decoded pixels, between one step and the next. */
import sharp, { type Sharp } from 'sharp';

import type { Size } from './protocol.js';

/** 8 bits a channel, RGB or RGBA. */
export interface Pixels extends Size {
  readonly data: Buffer;
  readonly channels: 3 | 4;
  /** Display P3; absent: sRGB. */
  readonly colours?: 'p3' | undefined;
}

/** For pixels in Display P3 the pipeline has 16 bits: there sharp takes what has no profile for Display P3. */
export function toSharp({ data, width, height, channels, colours }: Pixels): Sharp {
  const image = sharp(data, { raw: { width, height, channels } });
  return colours === 'p3' ? image.pipelineColourspace('rgb16') : image;
}
