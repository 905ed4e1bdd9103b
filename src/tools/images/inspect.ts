/** What a picture's header says. */
import sharp from 'sharp';

import type { ImageHeader } from '../tools.js';
import { copyrightOf } from './exif.js';
import { isWiderThanSrgb } from './icc.js';
import { TOLERANT } from './open.js';

/** Reads the header only; no limit applies, so that the one who asked can name the number. */
export async function inspect(file: string): Promise<ImageHeader> {
  const found = await sharp(file, { ...TOLERANT, limitInputPixels: false }).metadata();
  const copyright = found.exif && copyrightOf(found.exif);
  return {
    format: found.format === 'heif' ? (found.compression === 'av1' ? 'avif' : 'heic') : found.format,
    width: found.width,
    height: found.height,
    pages: found.pages ?? 1,
    orientation: found.orientation ?? 1,
    hasAlpha: found.hasAlpha ?? false,
    ...(found.icc && isWiderThanSrgb(found.icc) ? { isWide: true } : {}),
    ...(copyright ? { copyright } : {}),
  };
}
