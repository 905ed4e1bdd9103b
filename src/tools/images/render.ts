/** One picture into all its variants with sharp, in the child's current folder. */
import sharp, { type Sharp, type SharpOptions } from 'sharp';

import type { ImageVariant } from '../../contracts/image.js';
import type { ImageHeader } from '../tools.js';
import type { ImageCall, Size } from './protocol.js';

/**
 * `none`: what decodes is shown and what is missing stays grey, as viewers do. Real cameras and phones write files
 * that the stricter levels refuse (an Ultra HDR photograph whose gain map was cut off, for one).
 */
export const TOLERANT: SharpOptions = { failOn: 'none' };

/** The outputs are our own: there nothing may be wrong. */
const STRICT: SharpOptions = { failOn: 'warning' };

/** Decoded pixels, 8 bits a channel, sRGB: RGB or RGBA. */
interface Pixels extends Size {
  readonly data: Buffer;
  readonly channels: 3 | 4;
}

/** Reads the header only; no limit applies, so that the one who asked can name the number. */
export async function inspect(file: string): Promise<ImageHeader> {
  const found = await sharp(file, { ...TOLERANT, limitInputPixels: false }).metadata();
  return {
    format: found.format === 'heif' ? (found.compression === 'av1' ? 'avif' : 'heic') : found.format,
    width: found.width,
    height: found.height,
    pages: found.pages ?? 1,
    orientation: found.orientation ?? 1,
    hasAlpha: found.hasAlpha ?? false,
  };
}

/**
 * Decodes once, to the largest size that a variant needs; the others are made from those pixels. Only a cover variant
 * that needs more than they have (a thumbnail of a panorama) decodes again.
 */
export async function render(call: ImageCall & { op: 'render' }): Promise<Size[]> {
  const open = (): Sharp => sharp(call.file, { ...TOLERANT, limitInputPixels: call.maxPixels });
  const { icc } = await open().metadata();
  const source = (): Sharp => (icc ? toSrgbByProfile(open()) : open()).autoOrient();
  const scaled = call.variants.filter(({ fit }) => fit === 'inside');
  const largest = scaled.reduce<ImageVariant | undefined>((a, b) => (a && a.width >= b.width ? a : b), undefined);
  const base = largest && (await decode(source().resize(largest.width, largest.height, { fit: 'fill' })));

  return Promise.all(
    call.variants.map(async (variant) => {
      const { width, height, fit } = variant;
      const enough = base && (fit === 'inside' || (base.width >= width && base.height >= height));
      const pixels = enough ? base : await decode(source().resize(width, height, { fit: 'cover' }));
      return write(pixels, variant);
    }),
  );
}

/**
 * sharp converts by an embedded profile to sRGB, but of a 16-bit picture to Display P3, and leaves it there unless the
 * output profile is named. Naming it for a 16-bit picture without a profile would take that for Display P3 in turn.
 */
const toSrgbByProfile = (image: Sharp): Sharp => image.withIccProfile('srgb');

async function decode(image: Sharp): Promise<Pixels> {
  const { data, info } = await image
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels === 4 ? 4 : 3 };
}

async function write({ data, ...raw }: Pixels, variant: ImageVariant): Promise<Size> {
  const { name, width, height, fit, format, quality } = variant;
  const image = sharp(data, { raw: { width: raw.width, height: raw.height, channels: raw.channels } });
  if (raw.width !== width || raw.height !== height)
    image.resize(width, height, { fit: fit === 'cover' ? 'cover' : 'fill' });
  if (format === 'jpeg') image.flatten({ background: 'white' }).jpeg({ quality });
  else if (format === 'webp') image.webp({ quality });
  else image.png();
  await image.toFile(name);
  return reopen(name);
}

/** Decodes what was written, whole, and tells its size. */
export async function reopen(file: string): Promise<Size> {
  const image = sharp(file, STRICT);
  const { width, height } = await image.metadata();
  // Scaling while decoding keeps this cheap; every byte is still read.
  await image.resize(8, 8, { fit: 'fill' }).raw().toBuffer();
  return { width, height };
}
