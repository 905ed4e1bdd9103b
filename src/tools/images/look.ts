/** Measures how a picture looks, for a choice among several. */
import sharp from 'sharp';

import type { PictureLooks } from '../tools.js';
import type { ImageCall } from './protocol.js';
import { TOLERANT } from './open.js';

/** All candidates at one size: on full-size pixels, sharpness would measure the grain and the encoder's noise. */
const WIDTH = 480;

export async function look({ file, maxPixels }: ImageCall & { op: 'look' }): Promise<PictureLooks> {
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
