/** Writes one variant, within its budget. */
import { writeFile } from 'node:fs/promises';

import sharp, { type Sharp } from 'sharp';

import type { ImageVariant } from '../../contracts/image.js';
import { bestWithin } from './budget.js';
import { reopen, TOLERANT } from './open.js';
import { toSharp, type Pixels } from './pixels.js';
import type { Size } from './protocol.js';

/** libaom, 0 (quickest) to 9: measured on photographs, 2 costs a third of the time of 4 for 3 % more bytes. */
const AVIF_EFFORT = 2;
/** libwebp, 0 to 6: an animation is encoded frame by frame. */
const ANIMATION_EFFORT = 2;

export async function writeStill(pixels: Pixels, variant: ImageVariant): Promise<Size> {
  const image = (): Sharp => {
    const opened = toSharp(pixels);
    if (variant.format === 'jpeg') opened.flatten({ background: 'white' });
    if (pixels.colours) opened.withIccProfile(variant.colours ?? 'srgb');
    return withCopyright(opened, variant);
  };
  await write(variant, (quality) => encoded(image(), variant, quality));
  return reopen(variant.name);
}

/** All frames of the source with their times, and how often they are repeated. */
export async function writeAnimation(file: string, variant: ImageVariant, maxPixels: number): Promise<Size> {
  const { width, height } = variant;
  await write(variant, (quality) => {
    const image = sharp(file, { ...TOLERANT, animated: true, limitInputPixels: maxPixels });
    image.resize(width, height, { fit: 'fill' }).toColourspace('srgb');
    return withCopyright(image, variant).webp({ quality, effort: ANIMATION_EFFORT });
  });
  return reopen(variant.name);
}

async function write({ name, quality, maxBytes }: ImageVariant, encode: (quality: number) => Sharp) {
  if (maxBytes === undefined) await encode(quality).toFile(name);
  else await writeFile(name, await bestWithin(maxBytes, quality, (tried) => encode(tried).toBuffer()));
}

function encoded(image: Sharp, { format }: ImageVariant, quality: number): Sharp {
  switch (format) {
    case 'jpeg':
      return image.jpeg({ quality });
    case 'webp':
      return image.webp({ quality });
    case 'avif':
      return image.avif({ quality, effort: AVIF_EFFORT });
    case 'png':
      // Below 100 a palette, with as many colours as the quality needs: PNG has no other way to be smaller.
      return quality < 100 ? image.png({ palette: true, quality }) : image.png();
  }
}

const withCopyright = (image: Sharp, { copyright }: ImageVariant): Sharp =>
  copyright === undefined ? image : image.withExif({ IFD0: { Copyright: copyright } });
