/** What a picture looks like, in a few bytes each. Pure, from small pixels. */
import { encode as encodeBlurHash } from 'blurhash';
import { rgbaToThumbHash } from 'thumbhash';

import type { ImageTraits } from '../../contracts/image.js';
import { palette } from './palette.js';

/** 8 bits a channel: RGBA, or one of grey. */
export interface SmallPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Longest side of what the placeholders and the palette are made from, pixels; more is more than ThumbHash takes. */
export const SMALL = 100;
/** Both sides of what the perceptual hash is made from, pixels. */
export const HASH_SIDE = 32;
/** Longest side of what BlurHash is made from: it keeps a dozen waves of it. */
export const BLUR_SIDE = 32;

/**
 * @param small RGBA, at most 100 pixels a side
 * @param blur RGBA on white, at most 32 a side
 * @param grey 32x32, one channel, on white
 */
export function traitsOf(small: SmallPixels, blur: SmallPixels, grey: Uint8Array): ImageTraits {
  const colours = palette(small.data);
  const [across, down] = blur.width >= blur.height ? [4, 3] : [3, 4];
  return {
    thumbHash: Buffer.from(rgbaToThumbHash(small.width, small.height, small.data)).toString('base64'),
    blurHash: encodeBlurHash(new Uint8ClampedArray(blur.data), blur.width, blur.height, across, down),
    // A picture of which nothing is to be seen has the colour of the page.
    dominantColour: colours[0] ?? '#ffffff',
    palette: colours,
    perceptualHash: perceptualHash(grey),
  };
}

const BITS = 64;

/** Less than this is rounding, as in a picture of one colour. Of coefficients up to some 4,000. */
const NOTHING = 0.5;

/**
 * The 64 lowest frequencies of a discrete cosine transform but the constant one, in zigzag order; a bit is set where
 * one is above their median. Size, sharpness, brightness, contrast, colours and encoding hardly matter to it; a crop,
 * a turn or a reflection does. Copies differ in 0 to 8 bits, pictures of other things in 32 on the average.
 *
 * @param grey 32x32, one channel
 * @returns 16 hexadecimal digits; all 0 for a picture of one colour
 */
export function perceptualHash(grey: Uint8Array): string {
  const coefficients = lowFrequencies(grey);
  const sorted = [...coefficients].sort((a, b) => a - b);
  const median = (sorted[BITS / 2 - 1]! + sorted[BITS / 2]!) / 2;
  let hash = 0n;
  for (const value of coefficients) hash = (hash << 1n) | (value - median > NOTHING ? 1n : 0n);
  return hash.toString(16).padStart(BITS / 4, '0');
}

/** `[horizontal, vertical]` frequencies by their sum: the 64 after `[0, 0]`. */
const ZIGZAG: readonly (readonly [number, number])[] = Array.from({ length: HASH_SIDE }, (_, sum) =>
  Array.from({ length: sum + 1 }, (_, x) => [x, sum - x] as const),
)
  .flat()
  .slice(1, BITS + 1);

/** No frequency of the zigzag is above it. */
const HIGHEST = 11;

const COSINES = Array.from({ length: HIGHEST + 1 }, (_, frequency) =>
  Float64Array.from({ length: HASH_SIDE }, (_, at) => Math.cos((Math.PI * frequency * (2 * at + 1)) / (2 * HASH_SIDE))),
);

/** Orthonormal DCT-II, rows first. */
function lowFrequencies(grey: Uint8Array): number[] {
  const rows = COSINES.map((cosine) =>
    Float64Array.from({ length: HASH_SIDE }, (_, y) => {
      let sum = 0;
      for (let x = 0; x < HASH_SIDE; x++) sum += grey[y * HASH_SIDE + x]! * cosine[x]!;
      return sum;
    }),
  );
  const scale = (frequency: number): number => Math.sqrt((frequency === 0 ? 1 : 2) / HASH_SIDE);
  return ZIGZAG.map(([u, v]) => {
    let sum = 0;
    for (let y = 0; y < HASH_SIDE; y++) sum += rows[u]![y]! * COSINES[v]![y]!;
    return sum * scale(u) * scale(v);
  });
}
