/** One picture into all its variants with sharp, in the child's current folder. */
import sharp, { type Sharp } from 'sharp';

import type { ImageTraits, ImageVariant } from '../../contracts/image.js';
import { writeAnimation, writeStill } from './encode.js';
import { TOLERANT } from './open.js';
import { isOpaque, RGB, RGBA, toSharp, withoutExtras, type Pixels } from './pixels.js';
import type { ImageCall, Rendered, Size } from './protocol.js';
import { baseSize, bestSource, cropAround } from './shapes.js';
import { BLUR_SIDE, HASH_SIDE, SMALL, traitsOf, type SmallPixels } from './traits.js';

const WHITE = 'white';
const CLEAR = { r: 0, g: 0, b: 0, alpha: 0 };
const MIDDLE = { x: 0.5, y: 0.5 };

/**
 * Decodes once, to the largest size that a variant needs; all is made from those pixels, small ones from larger ones
 * where there are some. From large to small: what takes longest is begun first, and what is left at the end is short.
 *
 * @param onWritten is told of each variant as soon as it is whole
 */
export async function render(
  call: ImageCall & { op: 'render' },
  onWritten: (index: number, size: Size) => void,
): Promise<Rendered> {
  const stills = call.variants.filter(({ animated }) => !animated);
  const levels = [await decode(call, stills)];
  const written: Promise<Size>[] = [];
  const write = (variant: ImageVariant, made: Promise<Size>): void => {
    const index = call.variants.indexOf(variant);
    const whole = made.then((size) => {
      onWritten(index, size);
      return size;
    });
    // It may fail before it is waited for below: Node would end the process for a failure that nobody looks at.
    whole.catch(() => undefined);
    written[index] = whole;
  };
  try {
    for (const variant of call.variants) {
      if (variant.animated) write(variant, writeAnimation(call.file, variant, call.maxPixels));
    }
    let last: { readonly key: string; readonly pixels: Pixels } | undefined;
    for (const variant of stills.sort((a, b) => area(b) - area(a) || keyOf(a).localeCompare(keyOf(b)))) {
      const key = keyOf(variant);
      if (last?.key !== key) last = { key, pixels: await shape(bestSource(levels, variant), variant) };
      const { pixels } = last;
      if (variant.fit === 'inside' && !levels.includes(pixels)) levels.push(pixels);
      write(variant, writeStill(pixels, variant));
    }
    const small = bestSource(levels, { width: SMALL, height: SMALL, fit: 'inside' });
    const traits = call.traits ? await traitsOfPicture(small) : undefined;
    return { sizes: await Promise.all(written), ...(traits ? { traits } : {}) };
  } finally {
    // After an answer, a bad one too, the folder may belong to another picture: nothing writes into it any more.
    await Promise.allSettled(written);
  }
}

const area = ({ width, height }: ImageVariant): number => width * height;

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
  const { icc, channels, space, autoOrient: shown } = await open().metadata();
  const small = { width: SMALL, height: SMALL, fit: 'contain' } as const;
  const { width, height } = baseSize(shown, traits ? [small, ...stills] : stills);
  const wide = icc !== undefined && stills.every(({ colours }) => colours === 'p3');
  const image = open();
  if (wide) image.pipelineColourspace('rgb16').withIccProfile('p3');
  else if (icc) image.withIccProfile('srgb');
  image.autoOrient();
  const colours = wide ? ('p3' as const) : undefined;
  if (channels <= RGBA || space === 'cmyk') {
    return toPixels(image.resize(width, height, { fit: 'fill' }), colours);
  }
  // Spot channels or several masks, as Photoshop writes them into TIFF: libvips takes the last channel for transparency,
  // and loses the colours when it scales them by that.
  return toPixels(toSharp(await toPixels(image, colours)).resize(width, height, { fit: 'fill' }), colours);
}

/** Without a channel for transparency where nothing is transparent: it would be encoded. */
async function toPixels(image: Sharp, colours: Pixels['colours']): Promise<Pixels> {
  const { data, info } = await image
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const isPlain = channels > RGBA || (channels === RGBA && isOpaque(data, channels));
  return isPlain
    ? { data: withoutExtras(data, channels), width, height, channels: RGB, colours }
    : { data, width, height, channels: channels === RGBA ? RGBA : RGB, colours };
}

async function shape(source: Pixels, { width, height, fit, position = 'centre' }: ImageVariant): Promise<Pixels> {
  if (source.width === width && source.height === height) return source;
  if (fit === 'contain') {
    return toPixels(toSharp(source).resize(width, height, { fit, background: CLEAR }), source.colours);
  }
  const part = fit === 'cover' ? await cropped(source, { width, height }, position) : source;
  return toPixels(toSharp(part).resize(width, height, { fit: 'fill' }), source.colours);
}

/** Before it is scaled: of a picture of 1x20,000 pixels, 400x400 would otherwise be cut from 400x8,000,000. */
function cropped(source: Pixels, shape: Size, position: NonNullable<ImageVariant['position']>): Promise<Pixels> {
  const box = cropAround(typeof position === 'object' ? position : MIDDLE, source, shape);
  const { width, height } = box;
  if (width === source.width && height === source.height) return Promise.resolve(source);
  const image = toSharp(source);
  if (position === 'smart') image.resize(width, height, { fit: 'cover', position: 'attention' });
  else image.extract(box);
  return toPixels(image, source.colours);
}

async function traitsOfPicture(source: Pixels): Promise<ImageTraits> {
  const pixels = source.colours ? await toPixels(toSharp(source).withIccProfile('srgb'), undefined) : source;
  const inside = { fit: 'inside', withoutEnlargement: true } as const;
  const small = await toSmall(toSharp(pixels).resize(SMALL, SMALL, inside));
  const raw = { width: small.width, height: small.height, channels: RGBA } as const;
  const flat = sharp(small.data, { raw }).flatten({ background: WHITE });
  const [blur, grey] = await Promise.all([
    toSmall(flat.clone().resize(BLUR_SIDE, BLUR_SIDE, inside)),
    flat.clone().resize(HASH_SIDE, HASH_SIDE, { fit: 'fill' }).greyscale().raw({ depth: 'uchar' }).toBuffer(),
  ]);
  return traitsOf(small, blur, grey);
}

async function toSmall(image: Sharp): Promise<SmallPixels> {
  const { data, info } = await image.ensureAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
