/** The first page of a PDF as a picture: how large, from what poppler says of it. */
import { MediaError } from '../../contracts/errors.js';
import type { ImageLimits } from './limits.js';
import type { PixelSize } from './headers.js';

/**
 * A page has no pixels. So wide is it drawn, where that does not make it too high: 1920 is the widest variant of the
 * shipped profiles, and more than 200 dots per inch of a letter.
 */
const WIDTH = 1920;
const MAX_HEIGHT = 4096;

/** One page's size as displayed; points of 1/72 inch. */
export function pageSize(pdfinfo: string): PixelSize {
  const size = /^Page\s+1 size:\s+([\d.]+) x ([\d.]+) pts/m.exec(pdfinfo);
  const [width, height] = [Number(size?.[1]), Number(size?.[2])];
  if (!(width > 0 && height > 0)) throw new MediaError('DAMAGED_FILE', 'Its first page has no size.');
  const turn = Number(/^Page\s+1 rot:\s+(\d+)/m.exec(pdfinfo)?.[1] ?? 0);
  return turn % 180 === 90 ? { width: height, height: width } : { width, height };
}

/** @returns whole pixels, within the limits */
export function drawnSize(page: PixelSize, limits: ImageLimits): PixelSize {
  const side = Math.min(MAX_HEIGHT, limits.maxSidePx);
  const pixels = limits.maxMegapixels * 1e6;
  const scale = Math.min(
    Math.min(WIDTH, side) / page.width,
    side / page.height,
    Math.sqrt(pixels / (page.width * page.height)),
  );
  return { width: Math.max(1, Math.floor(page.width * scale)), height: Math.max(1, Math.floor(page.height * scale)) };
}

export const infoArguments = (source: string): string[] => ['-f', '1', '-l', '1', source];

/** Writes `<stem>.tif`. */
export function drawArguments(source: string, stem: string, { width, height }: PixelSize): string[] {
  return [
    ...['-f', '1', '-l', '1', '-singlefile', '-cropbox'],
    ...['-scale-to-x', String(width), '-scale-to-y', String(height)],
    ...['-tiff', '-tiffcompression', 'none', source, stem],
  ];
}
