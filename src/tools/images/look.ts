/** Looks at the pixels of a picture before it is decided what is made of it. */
import sharp from 'sharp';

import type { PictureLooks } from '../tools.js';
import { isOpaque } from './pixels.js';
import type { ImageCall, Opacity } from './protocol.js';
import { TOLERANT } from './open.js';

/** All candidates at one size: on full-size pixels, sharpness would measure the grain and the encoder's noise. */
const WIDTH = 480;

/** Measures how it looks, for a choice among several. */
export async function look({ file, maxPixels }: ImageCall & { op: 'look' | 'opaque' }): Promise<PictureLooks> {
  const { data, info } = await sharp(file, { ...TOLERANT, limitInputPixels: maxPixels })
    .autoOrient()
    .resize(WIDTH, undefined, { withoutEnlargement: true })
    .flatten({ background: 'white' })
    .greyscale()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: info.channels };
  const { channels, entropy, sharpness } = await sharp(data, { raw }).stats();
  const { mean, stdev } = channels[0]!;
  return { brightness: mean, contrast: stdev, entropy, sharpness };
}

/** Formats keep a channel for transparency whether or not anything is transparent. */
export async function opacity({ file, maxPixels }: ImageCall & { op: 'look' | 'opaque' }): Promise<Opacity> {
  const alpha = await sharp(file, { ...TOLERANT, limitInputPixels: maxPixels })
    .ensureAlpha()
    .extractChannel('alpha')
    .raw({ depth: 'uchar' })
    .toBuffer();
  return { isOpaque: isOpaque(alpha, 1) };
}
