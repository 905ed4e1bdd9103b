/** What is made of a picture: sizes and formats, from its header and its profile alone. */
import type { FocalPoint, ImagePlan, ImageReader, ImageVariant, LoopPlan } from '../../contracts/image.js';
import type { ImageSpec } from '../../contracts/profile.js';

/** What a header says, as far as a plan needs it. */
export interface PictureFacts {
  /** As stored, before orientation. */
  readonly width: number;
  readonly height: number;
  /** EXIF orientation, 1-8; from 5 on the picture is displayed lying on its side. */
  readonly orientation: number;
  readonly format: string;
  /** Something of it is transparent. */
  readonly hasAlpha: boolean;
  /** Frames of an animation, 1 of all else. */
  readonly pages: number;
  /** Its colour profile reaches beyond sRGB. */
  readonly isWide?: boolean | undefined;
  /** One printable line. */
  readonly copyright?: string | undefined;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

type Format = ImageVariant['format'];
type Shape = Pick<ImageVariant, 'type' | 'width' | 'height' | 'fit' | 'position'>;

/** Pixels. */
const THUMBNAIL = 100;
const POSTER_WIDTH = 1280;
const POSTER_SMALL_WIDTH = 640;

/** 1-100, where JPEG and WebP look alike at about the same size; the libraries' own defaults. */
const POSTER_QUALITY = 80;

/** What the formats, or the libraries that write them, can hold on a side, pixels. */
const MAX_SIDE: Record<Format, number> = { avif: 16_384, webp: 16_383, jpeg: 65_500, png: 1_000_000 };
const EXTENSION: Record<Format, string> = { avif: 'avif', webp: 'webp', jpeg: 'jpg', png: 'png' };
const THUMBNAIL_STEM = 'thumb';
/** Every published image has one. */
export const THUMBNAIL_FILE = `${THUMBNAIL_STEM}.${EXTENSION.jpeg}`;

/**
 * - `thumb.jpg`: always 100x100, the middle of the picture; of a smaller one it is enlarged. JPEG for pictures with
 *   transparency too (on white), so that it has one name and one type.
 * - `w<width>` for every width of the profile that the picture has, and its own where it has not all of them; each in
 *   every format of the profile, with PNG for JPEG where the picture has transparency.
 * - The profile's fixed sizes in the same formats, exactly as large as they are named: enlarged where need be.
 * - Of an animation its moving variants too; the others show its first frame.
 *
 * A variant that its format can't hold (WebP above 16,383 pixels) is not planned.
 */
export function planImage(
  facts: PictureFacts,
  reader: ImageReader,
  spec: ImageSpec,
  focal: FocalPoint | undefined = undefined,
): ImagePlan {
  const shown = displayedSize(facts);
  const moving = facts.pages > 1;
  const colours = spec.colours === 'p3' && facts.isWide ? ('p3' as const) : undefined;
  const copyright = spec.keepCopyright ? facts.copyright : undefined;
  const formats = spec.formats.map((format) => (format === 'jpeg' && facts.hasAlpha ? 'png' : format));
  const variant = (stem: string, format: Format, shape: Shape): ImageVariant[] =>
    fits(shape, format)
      ? [
          {
            name: `${stem}.${EXTENSION[format]}`,
            ...shape,
            format,
            quality: format === 'png' ? 100 : spec.quality[format],
            ...(spec.maxKiB === 'off' ? {} : { maxBytes: spec.maxKiB * 1024 }),
            ...(colours ? { colours } : {}),
            ...(copyright ? { copyright } : {}),
          },
        ]
      : [];
  const inEveryFormat = (stem: string, shape: Shape): ImageVariant[] =>
    formats.flatMap((format) => variant(stem, format, shape));
  return {
    v: 2,
    ...shown,
    format: facts.format,
    reader,
    hasAlpha: facts.hasAlpha,
    frames: facts.pages,
    variants: [
      ...variant(THUMBNAIL_STEM, 'jpeg', { type: 'thumbnail', width: THUMBNAIL, height: THUMBNAIL, fit: 'cover' }),
      ...widthsOf(spec, shown).flatMap((width) =>
        inEveryFormat(`w${width}`, { type: 'image', ...scaledTo(shown, width), fit: 'inside' }),
      ),
      ...spec.sizes.flatMap(({ name, width, height, fit, position: wanted }) => {
        const position = wanted === 'focal' ? (focal ?? 'centre') : wanted;
        const crop = fit === 'cover' && position !== undefined ? { position } : {};
        return inEveryFormat(name, { type: 'image', width, height, fit, ...crop });
      }),
      ...(moving && spec.animation.webp ? [...animation(facts, spec, copyright)] : []),
    ],
    loops: moving ? spec.animation.loops.map((format) => loop(facts, spec, format)) : [],
  };
}

/** `poster.jpg` at most 1280 wide, and for small players `poster-640.webp` and `.jpg`. Never enlarged. */
export function planPoster(facts: Pick<PictureFacts, 'width' | 'height' | 'orientation'>): ImageVariant[] {
  const shown = displayedSize(facts);
  const small = Math.min(POSTER_SMALL_WIDTH, shown.width);
  const poster = (width: number, format: 'webp' | 'jpeg', stem: string): ImageVariant[] => {
    const size = scaledTo(shown, width);
    const name = `${stem}.${EXTENSION[format]}`;
    return fits(size, format)
      ? [{ name, type: 'poster', ...size, fit: 'inside', format, quality: POSTER_QUALITY }]
      : [];
  };
  return [
    ...poster(Math.min(POSTER_WIDTH, shown.width), 'jpeg', 'poster'),
    ...poster(small, 'webp', `poster-${small}`),
    ...poster(small, 'jpeg', `poster-${small}`),
  ];
}

function widthsOf({ widths }: ImageSpec, shown: Size): number[] {
  const own = widths.map((width) => Math.min(width, shown.width));
  return [...new Set(own)].sort((a, b) => a - b);
}

/** Frames are never turned: a file that moves has no orientation that programs agree on. */
function animation(facts: PictureFacts, spec: ImageSpec, copyright: string | undefined): ImageVariant[] {
  const size = scaledTo(facts, Math.min(spec.animation.maxWidth, facts.width));
  if (!fits(size, 'webp')) return [];
  return [
    {
      name: 'animation.webp',
      type: 'animation',
      ...size,
      fit: 'inside',
      format: 'webp',
      quality: spec.quality.webp,
      ...(spec.maxKiB === 'off' ? {} : { maxBytes: spec.maxKiB * 1024 }),
      animated: true,
      ...(copyright ? { copyright } : {}),
    },
  ];
}

/** 4:2:0 has one colour sample for two pixels each way: sides are even. */
function loop(facts: PictureFacts, spec: ImageSpec, format: LoopPlan['format']): LoopPlan {
  const { width, height } = scaledTo(facts, Math.min(spec.animation.maxWidth, facts.width));
  const even = (side: number): number => Math.max(2, side - (side % 2));
  return { name: `loop.${format}`, format, width: even(width), height: even(height) };
}

function displayedSize({ width, height, orientation }: Pick<PictureFacts, 'width' | 'height' | 'orientation'>): Size {
  return orientation >= 5 ? { width: height, height: width } : { width, height };
}

const scaledTo = (shown: Size, width: number): Size => ({
  width,
  height: Math.max(1, Math.round((shown.height * width) / shown.width)),
});

const fits = ({ width, height }: Size, format: Format): boolean => Math.max(width, height) <= MAX_SIDE[format];
