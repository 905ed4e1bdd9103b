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
/** libwebp, 0 to 6: 2 takes half the time of 4 for 3 to 6 % more bytes, for an animation 0 half that of 2 for 3 %. */
const WEBP_EFFORT = 2;
const ANIMATION_EFFORT = 0;

/** Encodes beyond the first, within a budget. */
const TRIES = 6;

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

/**
 * All frames of the source with their times, and how often they are repeated. A large one takes seconds to encode: where
 * it has a budget, the quality is searched for with its first frames.
 */
export async function writeAnimation(file: string, variant: ImageVariant, maxPixels: number): Promise<Size> {
  const { width, height, maxBytes } = variant;
  const encode = (quality: number, frames = -1): Sharp => {
    const image = sharp(file, { ...TOLERANT, pages: frames, limitInputPixels: maxPixels });
    image.resize(width, height, { fit: 'fill' }).toColourspace('srgb');
    return withCopyright(image, variant).webp({ quality, effort: ANIMATION_EFFORT });
  };
  if (maxBytes === undefined) return write(variant, encode);
  const { pages = 1 } = await sharp(file, TOLERANT).metadata();
  const sample = Math.max(1, Math.floor(SAMPLE_PIXELS / (width * height)));
  if (sample >= pages) return write(variant, encode);
  const share = (maxBytes * sample) / pages;
  const tried = await bestWithin(share, variant.quality, (quality) => attempt(encode(quality, sample), quality), TRIES);
  return write({ ...variant, quality: tried.quality }, encode, 1);
}

/** Of the frames that stand for all. */
const SAMPLE_PIXELS = 4e6;

/** That the file is whole is looked at by the one who asked for it; decoding it again would cost a third of all work. */
async function write(variant: ImageVariant, encode: (quality: number) => Sharp, tries = TRIES): Promise<Size> {
  const { name, maxBytes, format } = variant;
  const quality = format === 'png' ? LOSSLESS : variant.quality;
  if (maxBytes === undefined) return sizeOf(await encode(quality).toFile(name));
  const tryOne = (tried: number): Promise<Attempt> => attempt(encode(tried), tried);
  const { data, info } =
    format === 'png'
      ? await firstWithin(maxBytes, PNG_QUALITIES, tryOne)
      : await bestWithin(maxBytes, quality, tryOne, tries);
  await writeFile(name, data);
  return sizeOf(info);
}

interface Attempt {
  readonly length: number;
  readonly quality: number;
  readonly data: Buffer;
  readonly info: OutputInfo;
}

async function attempt(image: Sharp, quality: number): Promise<Attempt> {
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  return { length: data.length, quality, data, info };
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
