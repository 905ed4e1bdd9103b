/** Lays small pictures out on one sheet, in the child's current folder. */
import sharp from 'sharp';

import type { SheetSpec } from '../tools.js';
import type { ImageCall, Size } from './protocol.js';
import { TOLERANT } from './open.js';

const CHANNELS = 3;

/** One tile at a time next to the sheet itself: a composite of a hundred open files would hold them all. */
export async function sheet({ spec, maxPixels }: ImageCall & { op: 'sheet' }): Promise<Size> {
  const { name, format, quality, columns, tileWidth, tiles } = spec;
  const width = columns * tileWidth;
  const height = Math.ceil(tiles.length / columns) * spec.tileHeight;
  const pixels = Buffer.alloc(width * height * CHANNELS);
  let last: { readonly file: string; readonly tile: Buffer } | undefined;
  for (const [place, file] of tiles.entries()) {
    if (last?.file !== file) last = { file, tile: await decode(file, spec, maxPixels) };
    lay(last.tile, spec, place, pixels);
  }
  const image = sharp(pixels, { raw: { width, height, channels: CHANNELS } });
  const written = await (format === 'jpeg' ? image.jpeg({ quality }) : image.webp({ quality })).toFile(name);
  return { width: written.width, height: written.height };
}

function decode(file: string, { tileWidth, tileHeight }: SheetSpec, maxPixels: number): Promise<Buffer> {
  return sharp(file, { ...TOLERANT, limitInputPixels: maxPixels })
    .resize(tileWidth, tileHeight, { fit: 'fill' })
    .flatten({ background: 'black' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer();
}

function lay(tile: Buffer, { columns, tileWidth, tileHeight }: SheetSpec, place: number, sheet: Buffer): void {
  const line = tileWidth * CHANNELS;
  const left = (place % columns) * line;
  const top = Math.floor(place / columns) * tileHeight;
  for (let y = 0; y < tileHeight; y++) tile.copy(sheet, (top + y) * columns * line + left, y * line, (y + 1) * line);
}
