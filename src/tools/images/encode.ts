/** Writes one variant, within its budget. */
import { writeFile } from 'node:fs/promises';

import sharp, { type OutputInfo, type Sharp } from 'sharp';

import type { ImageVariant } from '../../contracts/image.js';
import { bestWithin, firstWithin } from './budget.js';
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

/** Encodes beyond the first, within a budget; of an animation each takes seconds. */
const STILL_TRIES = 6;
const ANIMATION_TRIES = 2;

/** PNG becomes smaller by fewer colours alone, and only where they need fewer bits. */
const LOSSLESS = 100;
const PNG_QUALITIES = [LOSSLESS, 256, 16, 4];
/** libimagequant, 1 to 10: 7, its default, takes seven times as long for a fifth fewer bytes. */
const PALETTE_EFFORT = 1;

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
  const { name, maxBytes, format } = variant;
  const quality = format === 'png' ? LOSSLESS : variant.quality;
  if (maxBytes === undefined) return sizeOf(await encode(quality).toFile(name));
  const attempt = async (tried: number): Promise<Attempt> => {
    const { data, info } = await encode(tried).toBuffer({ resolveWithObject: true });
    return { length: data.length, data, info };
  };
  const { data, info } =
    format === 'png'
      ? await firstWithin(maxBytes, PNG_QUALITIES, attempt)
      : await bestWithin(maxBytes, quality, attempt, variant.animated ? ANIMATION_TRIES : STILL_TRIES);
  await writeFile(name, data);
  return sizeOf(info);
}

interface Attempt {
  readonly length: number;
  readonly data: Buffer;
  readonly info: OutputInfo;
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
      return quality === LOSSLESS
        ? image.png()
        : image.png({ palette: true, colours: quality, effort: PALETTE_EFFORT });
  }
}

const withCopyright = (image: Sharp, { copyright }: ImageVariant): Sharp =>
  copyright === undefined ? image : image.withExif({ IFD0: { Copyright: copyright } });
