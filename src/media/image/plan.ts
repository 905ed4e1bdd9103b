/** What is made of a picture: sizes and formats, from its header alone. */
import type { ImagePlan, ImageVariant } from '../../contracts/image.js';
import type { Reader } from './formats.js';

/** What a header says, as far as a plan needs it. */
export interface PictureFacts {
  /** As stored, before orientation. */
  readonly width: number;
  readonly height: number;
  /** EXIF orientation, 1-8; from 5 on the picture is displayed lying on its side. */
  readonly orientation: number;
  readonly format: string;
}

/** Pixels. */
const WIDTHS = [320, 640, 1280, 1920] as const;
const THUMBNAIL = 100;
const POSTER_WIDTH = 1280;
const POSTER_SMALL_WIDTH = 640;

/** 1-100, where both encoders look alike at about the same size; the libraries' own defaults. */
const QUALITY = 80;

/** What the formats themselves can hold on a side, pixels. */
const MAX_SIDE = { webp: 16_383, jpeg: 65_535 } as const;
const EXTENSION = { webp: 'webp', jpeg: 'jpg' } as const;

/**
 * - `thumb.jpg`: always 100x100, the middle of the picture; of a smaller one it is enlarged. JPEG for pictures with
 *   transparency too (on white), so that it has one name and one type.
 * - `w<width>.webp` and `.jpg` for every width that the picture has; of one narrower than the least, its own.
 *   WebP keeps transparency, JPEG lays it on white.
 *
 * A variant that its format can't hold (WebP above 16,383 pixels) is not planned.
 */
export function planImage(facts: PictureFacts, reader: Reader): ImagePlan {
  const shown = displayedSize(facts);
  const fitting = WIDTHS.filter((width) => width <= shown.width);
  const widths = fitting.length > 0 ? fitting : [shown.width];
  return {
    v: 1,
    ...shown,
    format: facts.format,
    reader,
    variants: [
      {
        name: 'thumb.jpg',
        type: 'thumbnail',
        width: THUMBNAIL,
        height: THUMBNAIL,
        fit: 'cover',
        format: 'jpeg',
        quality: QUALITY,
      },
      ...widths.flatMap((width) => [
        ...scaled(shown, width, 'webp', 'image', `w${width}`),
        ...scaled(shown, width, 'jpeg', 'image', `w${width}`),
      ]),
    ],
  };
}

/** `poster.jpg` at most 1280 wide, and for small players `poster-640.webp` and `.jpg`. Never enlarged. */
export function planPoster(facts: PictureFacts): ImageVariant[] {
  const shown = displayedSize(facts);
  const small = Math.min(POSTER_SMALL_WIDTH, shown.width);
  return [
    ...scaled(shown, Math.min(POSTER_WIDTH, shown.width), 'jpeg', 'poster', 'poster'),
    ...scaled(shown, small, 'webp', 'poster', `poster-${small}`),
    ...scaled(shown, small, 'jpeg', 'poster', `poster-${small}`),
  ];
}

function displayedSize({ width, height, orientation }: PictureFacts): { width: number; height: number } {
  return orientation >= 5 ? { width: height, height: width } : { width, height };
}

function scaled(
  shown: { width: number; height: number },
  width: number,
  format: 'webp' | 'jpeg',
  type: 'image' | 'poster',
  stem: string,
): ImageVariant[] {
  const height = Math.max(1, Math.round((shown.height * width) / shown.width));
  if (Math.max(width, height) > MAX_SIDE[format]) return [];
  return [{ name: `${stem}.${EXTENSION[format]}`, type, width, height, fit: 'inside', format, quality: QUALITY }];
}
