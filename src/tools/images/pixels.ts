/** Decoded pixels, between one step and the next. */
import sharp, { type Sharp } from 'sharp';

import type { Size } from './protocol.js';

/** 8 bits a channel, RGB or RGBA. */
export interface Pixels extends Size {
  readonly data: Buffer;
  readonly channels: 3 | 4;
  /** Display P3; absent: sRGB. */
  readonly colours?: 'p3' | undefined;
}

/** For pixels in Display P3 the pipeline has 16 bits: there sharp takes what has no profile for Display P3. */
export function toSharp({ data, width, height, channels, colours }: Pixels): Sharp {
  const image = sharp(data, { raw: { width, height, channels } });
  return colours === 'p3' ? image.pipelineColourspace('rgb16') : image;
}

/** @param channels of `data`, the last of them for transparency */
export function isOpaque(data: Buffer, channels: number): boolean {
  for (let at = channels - 1; at < data.length; at += channels) if (data[at] !== 255) return false;
  return true;
}

export const RGB = 3;
export const RGBA = 4;

/** The colours alone. */
export function withoutExtras(data: Buffer, channels: number): Buffer {
  const kept = Buffer.alloc((data.length / channels) * RGB);
  for (let from = 0, to = 0; from < data.length; from += channels, to += RGB) {
    kept[to] = data[from]!;
    kept[to + 1] = data[from + 1]!;
    kept[to + 2] = data[from + 2]!;
  }
  return kept;
}
