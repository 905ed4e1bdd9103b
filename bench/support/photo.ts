/** Photographs as cameras deliver them: smooth parts, edges, and grain on every pixel. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { ffmpeg } from './film.js';

export interface Photo {
  readonly path: string;
  readonly width: number;
  readonly height: number;
}

/** @param megapixels of a 4:3 picture */
export async function makePhoto(path: string, megapixels: number, grain = 12): Promise<Photo> {
  const height = Math.round(Math.sqrt((megapixels * 1e6 * 3) / 4) / 8) * 8;
  const width = (height * 4) / 3 - (((height * 4) / 3) % 8);
  // Drawn small and enlarged: the fractal itself would cost more than all that is measured.
  const picture =
    `mandelbrot=size=1200x900:start_scale=0.4:maxiter=200,` +
    `scale=${width}:${height}:flags=bicubic,noise=alls=${grain}:allf=u,gblur=sigma=0.5`;
  await ffmpeg(['-f', 'lavfi', '-i', picture, '-frames:v', '1', '-q:v', '2', path]);
  return { path, width, height };
}

/** As an upload may hold a photograph. */
export const PHOTO_FORMATS = [
  'jpeg',
  // A progressive one is decoded from all its coefficients at once, 2 bytes each: 1.5 of a pixel, or 3.
  'jpeg-progressive',
  'jpeg-progressive-444',
  'png',
  'webp',
  'avif',
  'heic',
  'tiff',
] as const;

/** ImageMagick's arguments. */
const CONVERSIONS: Readonly<Record<(typeof PHOTO_FORMATS)[number], readonly [extension: string, ...args: string[]]>> = {
  jpeg: ['jpg'],
  'jpeg-progressive': ['jpg', '-interlace', 'JPEG', '-sampling-factor', '4:2:0'],
  'jpeg-progressive-444': ['jpg', '-interlace', 'JPEG', '-sampling-factor', '4:4:4'],
  png: ['png', '-define', 'png:compression-level=1'],
  webp: ['webp', '-define', 'webp:method=0'],
  avif: ['avif', '-define', 'heic:speed=9'],
  heic: ['heic', '-define', 'heic:speed=9'],
  tiff: ['tif', '-compress', 'none'],
};

/** The same photograph in another format, beside the first. */
export async function photoAs({ path }: Photo, format: (typeof PHOTO_FORMATS)[number]): Promise<string> {
  const [extension, ...args] = CONVERSIONS[format];
  const output = `${path}.${format}.${extension}`;
  await promisify(execFile)('convert', [path, ...args, output]);
  return output;
}
