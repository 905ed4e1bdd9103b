/** How alike two pictures are, and two colours. */
import sharp from 'sharp';

import { randomFrom } from '../../bench/support/random.js';

export interface Raster {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Pixels as they are in the file, without regard to its colour profile. */
export async function rasterOf(bytes: Buffer): Promise<Raster> {
  const { data, info } = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

/** Smooth parts, edges and grain, the same ones each time. RGB. */
export async function photo(width: number, height: number): Promise<Raster> {
  const random = randomFrom(7);
  const sum = new Float64Array(width * height * 3);
  for (const [across, strength] of [
    [8, 0.5],
    [40, 0.25],
    [width / 6, 0.14],
    [width, 0.04],
  ] as const) {
    const size = { width: Math.ceil(across), height: Math.ceil((across * height) / width) };
    const noise = Buffer.from(Array.from({ length: size.width * size.height * 3 }, () => Math.floor(random() * 256)));
    const layer = await sharp(noise, { raw: { ...size, channels: 3 } })
      .resize(width, height, { fit: 'fill', kernel: 'cubic' })
      .raw()
      .toBuffer();
    for (let i = 0; i < sum.length; i++) sum[i]! += strength * (layer[i]! - 128);
  }
  const data = Buffer.from(sum.map((value) => Math.min(255, Math.max(0, Math.round(128 + 1.6 * value)))));
  return { data, width, height, channels: 3 };
}

const SIDE = 8;
const STEP = 4;

/** Mean structural similarity of the brightness, over windows of 8x8. 1: the same picture. Wang et al., 2004. */
export function ssim(a: Raster, b: Raster): number {
  if (a.width !== b.width || a.height !== b.height) throw new Error('of different sizes');
  const [x, y] = [luma(a), luma(b)];
  const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
  let total = 0;
  let windows = 0;
  for (let top = 0; top + SIDE <= a.height; top += STEP) {
    for (let left = 0; left + SIDE <= a.width; left += STEP) {
      let [sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0];
      for (let row = top; row < top + SIDE; row++) {
        for (let at = row * a.width + left; at < row * a.width + left + SIDE; at++) {
          const [p, q] = [x[at]!, y[at]!];
          sx += p;
          sy += q;
          sxx += p * p;
          syy += q * q;
          sxy += p * q;
        }
      }
      const n = SIDE * SIDE;
      const [mx, my] = [sx / n, sy / n];
      const covariance = sxy / n - mx * my;
      const variances = sxx / n - mx * mx + syy / n - my * my;
      total += ((2 * mx * my + c1) * (2 * covariance + c2)) / ((mx * mx + my * my + c1) * (variances + c2));
      windows++;
    }
  }
  return total / windows;
}

function luma({ data, channels }: Raster): Float64Array {
  return Float64Array.from({ length: data.length / channels }, (_, pixel) => {
    const at = pixel * channels;
    return channels < 3 ? data[at]! : 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
  });
}

export type Rgb = readonly [number, number, number];
type Triple = readonly [number, number, number];
type Matrix = readonly [Triple, Triple, Triple];

/** Linear RGB to XYZ under D65. IEC 61966-2-1; SMPTE EG 432-1. */
const TO_XYZ: Record<'srgb' | 'p3', Matrix> = {
  srgb: [
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.072175],
    [0.0193339, 0.119192, 0.9503041],
  ],
  p3: [
    [0.4865709, 0.2656677, 0.1982173],
    [0.2289746, 0.6917385, 0.0792869],
    [0, 0.0451134, 1.0439444],
  ],
};
const D65: Triple = [0.95047, 1, 1.08883];

/** CIE L*a*b* of an 8-bit colour; both spaces have the same transfer function. */
export function toLab(colour: Rgb, space: 'srgb' | 'p3'): Triple {
  const linear = colour.map((value) => {
    const v = value / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  const [x, y, z] = TO_XYZ[space].map((row, i) => {
    const t = row.reduce((sum, factor, k) => sum + factor * linear[k]!, 0) / D65[i]!;
    return t > 216 / 24_389 ? Math.cbrt(t) : ((24_389 / 27) * t + 16) / 116;
  }) as [number, number, number];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** CIE76. About 2.3 is the least that an eye can see. */
export const deltaE = (a: Triple, b: Triple): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
