/** Whether a picture may be decoded: judged by its header, before a pixel is. */
import { MediaError } from '../../contracts/errors.js';

export interface ImageLimits {
  /** Pixels x frames, in millions. */
  readonly maxMegapixels: number;
  readonly maxSidePx: number;
  readonly maxFrames: number;
}

/** Only these formats have frames that belong together, others have pages. */
const ANIMATED: ReadonlySet<string> = new Set(['gif', 'webp', 'apng']);

/** What a program needs beside the picture, MiB. */
const BASE_MIB = 64;

/** Frames of an animation, 1 of a file of pages, of which the first is taken. */
export function framesOf({ format, pages }: { readonly format: string; readonly pages: number }): number {
  return ANIMATED.has(format) ? Math.max(1, pages) : 1;
}

/** Millions of pixels that a decoder which holds so much of each can have at once. */
export function megapixelsWithin(memoryMiB: number, bytesPerPixel: number): number {
  return ((memoryMiB - BASE_MIB) * 1024 ** 2) / bytesPerPixel / 1e6;
}

/** @throws MediaError LIMIT_SIDE, LIMIT_FRAMES or LIMIT_PIXELS, with both numbers; DAMAGED_FILE for a picture of no size. */
export function admit(
  header: { readonly width: number; readonly height: number; readonly pages: number; readonly format: string },
  limits: ImageLimits,
): void {
  const { width, height } = header;
  if (width < 1 || height < 1) throw new MediaError('DAMAGED_FILE', `It says that it is ${width}x${height} pixels.`);
  if (Math.max(width, height) > limits.maxSidePx) {
    throw new MediaError('LIMIT_SIDE', `It is ${width}x${height} pixels; ${limits.maxSidePx} are allowed on a side.`);
  }
  const frames = framesOf(header);
  if (frames > limits.maxFrames) {
    throw new MediaError('LIMIT_FRAMES', `It has ${frames}; ${limits.maxFrames} are allowed.`);
  }
  const megapixels = (width * height * frames) / 1e6;
  if (megapixels > limits.maxMegapixels) {
    const of = frames > 1 ? `${width}x${height}, ${frames} frames` : `${width}x${height}`;
    throw new MediaError(
      'LIMIT_PIXELS',
      `It has ${megapixels.toFixed(1)} million (${of}); ${limits.maxMegapixels} million are allowed.`,
    );
  }
}

/** How often both sides must be halved for a picture to be held at once. */
export function halvingsFor(
  { width, height }: { readonly width: number; readonly height: number },
  { bytesPerPixel = 1 }: { readonly bytesPerPixel?: number },
  memoryMiB: number,
): number {
  const tooMany = (width * height) / 1e6 / megapixelsWithin(memoryMiB, bytesPerPixel);
  return tooMany <= 1 ? 0 : Math.ceil(Math.log2(tooMany) / 2);
}

/**
 * For decoders that hold a whole picture at once: what memory allows may be less than what is allowed.
 *
 * @throws MediaError LIMIT_PIXELS with both numbers
 */
export function admitWhole(
  { width, height }: { readonly width: number; readonly height: number },
  format: { readonly name: string; readonly bytesPerPixel?: number },
  memoryMiB: number,
): void {
  if (format.bytesPerPixel === undefined) return;
  const megapixels = (width * height) / 1e6;
  const allowed = megapixelsWithin(memoryMiB, format.bytesPerPixel);
  if (megapixels <= allowed) return;
  throw new MediaError(
    'LIMIT_PIXELS',
    `It has ${megapixels.toFixed(1)} million; ${allowed.toFixed(1)} million are allowed of ${format.name}, ` +
      `which is decoded in one piece, in ${memoryMiB} MiB.`,
  );
}
