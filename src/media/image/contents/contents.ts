import type { PixelSize } from '../headers.js';

/** What a whole picture file consists of. */
export interface Contents extends PixelSize {
  readonly hasProfile: boolean;
  /** TIFF structure, without the word `Exif`. */
  readonly exif?: Buffer | undefined;
  readonly isAnimated?: boolean | undefined;
}
