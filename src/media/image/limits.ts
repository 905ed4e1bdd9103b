/** Whether a picture may be decoded: judged by its header, before a pixel is. */
import { MediaError } from '../../contracts/errors.js';

export interface ImageLimits {
  /** Pixels x frames, in millions. */
  readonly maxMegapixels: number;
  readonly maxSidePx: number;
  readonly maxFrames: number;
}

/** Pictures that a header can promise; only these formats have frames that belong together, others have pages. */
const ANIMATED: ReadonlySet<string> = new Set(['gif', 'webp']);

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
  const frames = ANIMATED.has(header.format) ? Math.max(1, header.pages) : 1;
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
