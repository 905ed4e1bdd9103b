/** What opening a picture needs, and the one way in which its decoders are run and judged. */
import { ERRORS, MediaError, type ErrorCode } from '../../../contracts/errors.js';
import type { ImageReader } from '../../../contracts/image.js';
import type { ImageLimits } from '../../../media/image/limits.js';
import type { PictureFacts } from '../../../media/image/plan.js';
import { judge } from '../../../tools/failures.js';
import type { ImageSlot, ToolRun, Tools } from '../../../tools/tools.js';

export interface OpenedPicture {
  /** In the slot's folder; sharp reads it. Of an animation with all its frames. */
  readonly file: string;
  /** Of that picture: where it is a preview or was decoded smaller, of the smaller one. */
  readonly facts: PictureFacts;
  /** Who decoded the source. */
  readonly reader: ImageReader;
}

export interface PictureLimits extends ImageLimits {
  /** Wall time of one decoder. */
  readonly imageSeconds: number;
  readonly imageMemoryMiB: number;
}

export interface PictureDecoders {
  readonly tools: Pick<Tools, 'magick' | 'heif' | 'ffmpeg' | 'ffprobe' | 'poppler'>;
  readonly slot: ImageSlot;
  readonly limits: PictureLimits;
  readonly signal?: AbortSignal | undefined;
}

/** ImageMagick keeps 8 bytes a pixel where memory does not do, and as much again while it turns the picture. MiB. */
const fileMiB = (limits: ImageLimits): number => Math.ceil((limits.maxMegapixels * 16e6) / 1024 ** 2);

export function toolRun({ slot, limits, signal }: PictureDecoders, args: readonly string[]): ToolRun {
  return {
    args,
    scratch: slot.dir,
    limits: {
      memoryMiB: limits.imageMemoryMiB,
      cpuSeconds: limits.imageSeconds * 2,
      fileMiB: fileMiB(limits),
      wallSeconds: limits.imageSeconds,
    },
    // Libraries reserve far more addresses than they touch: ffmpeg's alone are half of what a picture may take.
    memory: 'data',
    signal,
  };
}

/**
 * @param format its name, for people
 * @throws MediaError with the format or the number that was passed in its message
 */
export async function decoding<T>({ limits }: PictureDecoders, format: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const judged = judge(error);
    // One that has said more than its sentence already is told as it is.
    if (!MediaError.is(judged) || judged.message !== ERRORS[judged.code].sentence) throw judged;
    // ImageMagick says "no images defined" after whatever kept it from reading one.
    const code = judged.code === 'NO_MEDIA' ? 'DAMAGED_FILE' : judged.code;
    throw new MediaError(code, detailOf(code, format, limits), { cause: judged.cause ?? judged, final: judged.final });
  }
}

function detailOf(code: ErrorCode, format: string, limits: PictureLimits): string | undefined {
  switch (code) {
    case 'UNSUPPORTED_FORMAT':
      return `It is ${format}.`;
    case 'DECODER_TIMEOUT':
      return `${limits.imageSeconds} s are allowed.`;
    case 'DECODER_LIMIT':
      return `${limits.imageMemoryMiB} MiB and ${limits.imageSeconds} s are allowed.`;
    default:
      return undefined;
  }
}
