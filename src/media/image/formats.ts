/** Which program reads which picture format, and how it is told the format instead of guessing it. */

/** sharp reads the file as it is; the others first turn it into a PNG, which sharp then reads. */
export type Reader = 'sharp' | 'imagemagick' | 'ffmpeg';

export interface ImageFormat {
  /** A word for people and for `ImagePlan.format`. */
  readonly name: string;
  readonly reader: Reader;
  /** ImageMagick's coder or ffmpeg's demuxer. */
  readonly input?: string;
}

const SHARP = (name: string): ImageFormat => ({ name, reader: 'sharp' });
const MAGICK = (name: string, input = name): ImageFormat => ({ name, reader: 'imagemagick', input });

/** libheif's container: HEVC is for ImageMagick, AV1 for sharp; only the header tells. */
export const HEIC = MAGICK('heic');
export const AVIF = SHARP('avif');

const BY_MIME: Readonly<Record<string, ImageFormat>> = {
  'image/jpeg': SHARP('jpeg'),
  'image/png': SHARP('png'),
  'image/apng': SHARP('png'),
  'image/webp': SHARP('webp'),
  'image/gif': SHARP('gif'),
  'image/avif': AVIF,
  'image/tiff': SHARP('tiff'),
  'image/svg+xml': SHARP('svg'),
  'image/heic': HEIC,
  'image/heic-sequence': HEIC,
  'image/heif': HEIC,
  'image/heif-sequence': HEIC,
  'image/vnd.adobe.photoshop': MAGICK('psd'),
  'image/bmp': MAGICK('bmp'),
  'image/x-icon': MAGICK('ico'),
  'image/jp2': MAGICK('jp2'),
  'image/jpx': MAGICK('jp2'),
  'image/jpm': MAGICK('jp2'),
  'image/j2c': MAGICK('j2c', 'jpc'),
  'image/jxl': { name: 'jxl', reader: 'ffmpeg', input: 'jpegxl_pipe' },
};

export function formatOf(mime: string): ImageFormat | undefined {
  return Object.hasOwn(BY_MIME, mime) ? BY_MIME[mime] : undefined;
}

/**
 * ImageMagick: the first picture of a file (a PSD's flattened one) as an 8-bit PNG, upright, with no metadata but its
 * colour profile. The coder is named, so that the content can't choose another one.
 */
export function magickArguments(format: ImageFormat, source: string, output: string): string[] {
  return [
    `${format.input}:${source}[0]`,
    '-auto-orient',
    ...['-colorspace', 'sRGB', '-depth', '8'],
    ...['+profile', '!icc,*'],
    // Read once and thrown away: speed, not size.
    ...['-define', 'png:compression-level=1'],
    `png:${output}`,
  ];
}

/** ffmpeg: the first frame as a PNG. */
export function ffmpegArguments(format: ImageFormat, source: string, output: string): string[] {
  return [
    '-f',
    format.input!,
    '-i',
    source,
    '-frames:v',
    '1',
    '-c:v',
    'png',
    '-pix_fmt',
    'rgba',
    '-f',
    'image2',
    output,
  ];
}
