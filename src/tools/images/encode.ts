/** Writes one variant, within its budget. */
import { writeFile } from 'node:fs/promises';

import sharp, { type OutputInfo, type Sharp } from 'sharp';

import type { ImageVariant } from '../../contracts/image.js';
import { bestWithin } from './budget.js';
import { TOLERANT } from './open.js';
import { toSharp, type Pixels } from './pixels.js';
import type { Size } from './protocol.js';

/**
 * libaom, 0 (quickest) to 9. Measured on photographs: 1 takes two to four times as long as 0 for 3 to 8 % fewer bytes,
 * 4 thirty times as long for 10 %. At 0 it is as quick as WebP and 25 % smaller at the same likeness (SSIM).
 */
const AVIF_EFFORT = 0;
/** libwebp, 0 to 6: 2 takes half the time of 4 for 3 to 6 % more bytes. */
const WEBP_EFFORT = 2;

export async function writeStill(pixels: Pixels, variant: ImageVariant): Promise<Size> {
  const image = (): Sharp => {
    const opened = toSharp(pixels);
    if (variant.format === 'jpeg') opened.flatten({ background: 'white' });
    if (variant.colours) opened.withIccProfile(variant.colours);
    return withCopyright(opened, variant);
  };
  return write(variant, (quality) => encoded(image(), variant, quality));
}

/** All frames of the source with their times, and how often they are repeated. */
export async function writeAnimation(file: string, variant: ImageVariant, maxPixels: number): Promise<Size> {
  const { width, height } = variant;
  return write(variant, (quality) => {
    const image = sharp(file, { ...TOLERANT, animated: true, limitInputPixels: maxPixels });
    image.resize(width, height, { fit: 'fill' }).toColourspace('srgb');
    return withCopyright(image, variant).webp({ quality, effort: WEBP_EFFORT });
  });
}

/** That the file is whole is looked at by the one who asked for it; decoding it again would cost a third of all work. */
async function write(variant: ImageVariant, encode: (quality: number) => Sharp): Promise<Size> {
  const { name, quality, maxBytes } = variant;
  if (maxBytes === undefined) return sizeOf(await encode(quality).toFile(name));
  const best = await bestWithin(maxBytes, quality, async (tried) => {
    const { data, info } = await encode(tried).toBuffer({ resolveWithObject: true });
    return { length: data.length, data, info };
  });
  await writeFile(name, best.data);
  return sizeOf(best.info);
}

/** Of an animation, that of a frame. */
const sizeOf = ({ width, height, pageHeight }: OutputInfo): Size => ({ width, height: pageHeight ?? height });

export function encoded(image: Sharp, { format }: ImageVariant, quality: number): Sharp {
  switch (format) {
    case 'jpeg':
      return image.jpeg({ quality });
    case 'webp':
      return image.webp({ quality, effort: WEBP_EFFORT });
    case 'avif':
      return image.avif({ quality, effort: AVIF_EFFORT, chromaSubsampling: '4:2:0' });
    case 'png':
      // Below 100 a palette, with as many colours as the quality needs: PNG has no other way to be smaller.
      return quality < 100 ? image.png({ palette: true, quality }) : image.png();
  }
}

const withCopyright = (image: Sharp, { copyright }: ImageVariant): Sharp =>
  copyright === undefined ? image : image.withExif({ IFD0: { Copyright: copyright } });
