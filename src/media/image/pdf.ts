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

export interface Page extends PixelSize {
  /** It is displayed lying on its side. */
  readonly isTurned: boolean;
}

/** As stored, before it is turned; points of 1/72 inch. */
export function pageOf(pdfinfo: string): Page {
  const size = /^Page\s+1 size:\s+([\d.e+]+) x ([\d.e+]+) pts/m.exec(pdfinfo);
  const [width, height] = [Number(size?.[1]), Number(size?.[2])];
  if (!(width > 0 && height > 0)) throw new MediaError('DAMAGED_FILE', 'Its first page has no size.');
  const turn = Number(/^Page\s+1 rot:\s+(\d+)/m.exec(pdfinfo)?.[1] ?? 0);
  return { width, height, isTurned: turn % 180 === 90 };
}

/** @returns whole pixels, within the limits; before it is turned, which is how pdftoppm counts */
export function drawnSize({ width, height, isTurned }: Page, limits: ImageLimits): PixelSize {
  const side = Math.min(MAX_HEIGHT, limits.maxSidePx);
  const pixels = limits.maxMegapixels * 1e6;
  const [shownWidth, shownHeight] = isTurned ? [height, width] : [width, height];
  const scale = Math.min(
    Math.min(WIDTH, side) / shownWidth,
    side / shownHeight,
    Math.sqrt(pixels / (shownWidth * shownHeight)),
  );
  // What is a whole number may come out a little below.
  const pixelsOf = (points: number): number => Math.max(1, Math.floor(points * scale + 1e-6));
  return { width: pixelsOf(width), height: pixelsOf(height) };
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
