/** One picture into all its variants with sharp, in the child's current folder. */
import sharp, { type Sharp } from 'sharp';

import type { ImageTraits, ImageVariant } from '../../contracts/image.js';
import { writeAnimation, writeStill } from './encode.js';
import { TOLERANT } from './open.js';
import { toSharp, type Pixels } from './pixels.js';
import type { ImageCall, Rendered, Size } from './protocol.js';
import { baseSize, bestSource, cropAround } from './shapes.js';
import { BLUR_SIDE, HASH_SIDE, SMALL, traitsOf } from './traits.js';

const WHITE = 'white';
const CLEAR = { r: 0, g: 0, b: 0, alpha: 0 };

/**
 * Decodes once, to the largest size that a variant needs; all is made from those pixels, small ones from larger ones
 * where there are some.
 *
 * @param onWritten is told of each variant as soon as it is whole
 */
export async function render(
  call: ImageCall & { op: 'render' },
  onWritten: (index: number, size: Size) => void,
): Promise<Rendered> {
  const stills = call.variants.filter(({ animated }) => !animated);
  const base = await decode(call, stills);
  const levels = [base];
  const shapes = new Map<string, Promise<Pixels>>();
  // From large to small: each may serve the next.
  for (const variant of stills.filter(({ fit }) => fit === 'inside').sort((a, b) => b.width - a.width)) {
    const key = keyOf(variant);
    if (shapes.has(key)) continue;
    const level = await shape(bestSource(levels, variant), variant);
    levels.push(level);
    shapes.set(key, Promise.resolve(level));
  }
  const pixelsOf = (variant: ImageVariant): Promise<Pixels> => {
    const key = keyOf(variant);
    const made = shapes.get(key) ?? shape(bestSource(levels, variant), variant);
    shapes.set(key, made);
    return made;
  };
  const write = async (variant: ImageVariant, index: number): Promise<Size> => {
    const size = variant.animated
      ? await writeAnimation(call.file, variant, call.maxPixels)
      : await writeStill(await pixelsOf(variant), variant);
    onWritten(index, size);
    return size;
  };
  const [traits, ...sizes] = await Promise.all([
    call.traits ? look(bestSource(levels, { width: SMALL, height: SMALL, fit: 'inside' })) : undefined,
    ...call.variants.map(write),
  ]);
  return { sizes, ...(traits ? { traits } : {}) };
}

const keyOf = ({ fit, width, height, position }: ImageVariant): string =>
  JSON.stringify([fit, width, height, position ?? 'centre']);

/**
 * Upright, 8 bits a channel.
 *
 * sharp converts by an embedded profile to sRGB, but of a 16-bit picture to Display P3, and leaves it there unless the
 * output profile is named. Naming it for a 16-bit picture without a profile would take that for Display P3 in turn.
 * With 16 bits asked for in between, an 8-bit picture goes by way of Display P3 too.
 */
async function decode({ file, maxPixels, traits }: ImageCall & { op: 'render' }, stills: readonly ImageVariant[]) {
  const open = (): Sharp => sharp(file, { ...TOLERANT, limitInputPixels: maxPixels });
  const { icc, autoOrient: shown } = await open().metadata();
  const small = { width: SMALL, height: SMALL, fit: 'contain' } as const;
  const { width, height } = baseSize(shown, traits ? [small, ...stills] : stills);
  const wide = icc !== undefined && stills.some(({ colours }) => colours === 'p3');
  const image = open();
  if (wide) image.pipelineColourspace('rgb16').withIccProfile('p3');
  else if (icc) image.withIccProfile('srgb');
  image.autoOrient().resize(width, height, { fit: 'fill' });
  return toPixels(image, wide ? 'p3' : undefined);
}

async function toPixels(image: Sharp, colours: Pixels['colours']): Promise<Pixels> {
  const { data, info } = await image
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels === 4 ? 4 : 3, colours };
}

function shape(source: Pixels, { width, height, fit, position = 'centre' }: ImageVariant): Promise<Pixels> {
  if (source.width === width && source.height === height) return Promise.resolve(source);
  const image = toSharp(source);
  if (fit === 'contain') image.resize(width, height, { fit, background: CLEAR });
  else if (fit === 'inside') image.resize(width, height, { fit: 'fill' });
  else if (typeof position === 'object')
    image.extract(cropAround(position, source, { width, height })).resize(width, height, { fit: 'fill' });
  else image.resize(width, height, { fit, position: position === 'smart' ? 'attention' : position });
  return toPixels(image, source.colours);
}

async function look(source: Pixels): Promise<ImageTraits> {
  const pixels = source.colours ? await toPixels(toSharp(source).withIccProfile('srgb'), undefined) : source;
  const inside = { fit: 'inside', withoutEnlargement: true } as const;
  const small = await toPixels(toSharp(pixels).resize(SMALL, SMALL, inside).ensureAlpha(), undefined);
  const flat = toSharp(small).flatten({ background: WHITE });
  const [blur, grey] = await Promise.all([
    toPixels(flat.clone().resize(BLUR_SIDE, BLUR_SIDE, inside).ensureAlpha(), undefined),
    flat.clone().resize(HASH_SIDE, HASH_SIDE, { fit: 'fill' }).greyscale().raw({ depth: 'uchar' }).toBuffer(),
  ]);
  return traitsOf(small, blur, grey);
}
