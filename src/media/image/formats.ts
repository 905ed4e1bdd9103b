/** Which program reads which picture format, and how it is told the format instead of guessing it. */
import type { ImageReader } from '../../contracts/image.js';

export interface ImageFormat {
  /** A word for people and for `ImagePlan.format`. */
  readonly name: string;
  /** sharp reads the file as it is; the others first make one of it that sharp reads. */
  readonly reader: ImageReader;
  /** ImageMagick's coder or ffmpeg's demuxer. */
  readonly input?: string;
  /**
   * What its decoder holds of each pixel where it can't work through the picture from top to bottom. Measured; see
   * docs/adr/0015.
   */
  readonly bytesPerPixel?: number;
}

const SHARP = (name: string): ImageFormat => ({ name, reader: 'sharp' });
const MAGICK = (name: string, input = name): ImageFormat => ({ name, reader: 'imagemagick', input });
const RAW = (name: string): ImageFormat => ({ name, reader: 'preview' });

/** libheif's container: HEVC is for other programs, AV1 for sharp; only the header tells. */
export const HEIC = MAGICK('heic');
export const AVIF: ImageFormat = { name: 'avif', reader: 'sharp', bytesPerPixel: 23 };
export const TIFF = SHARP('tiff');
/** Decoded at half, a quarter ... of its size where it is too large: what it is made for. */
export const JP2: ImageFormat = { name: 'jp2', reader: 'imagemagick', input: 'jp2', bytesPerPixel: 14 };
export const J2C: ImageFormat = { ...JP2, name: 'j2c', input: 'jpc' };
export const EXR: ImageFormat = { name: 'exr', reader: 'ffmpeg', input: 'exr_pipe', bytesPerPixel: 36 };
export const JXL: ImageFormat = { name: 'jxl', reader: 'ffmpeg', input: 'jpegxl_pipe', bytesPerPixel: 18 };
export const APNG: ImageFormat = { name: 'apng', reader: 'ffmpeg', input: 'apng' };
export const PDF: ImageFormat = { name: 'pdf', reader: 'poppler' };

const BY_MIME: Readonly<Record<string, ImageFormat>> = {
  'image/jpeg': SHARP('jpeg'),
  'image/png': SHARP('png'),
  'image/apng': APNG,
  'image/webp': SHARP('webp'),
  'image/gif': SHARP('gif'),
  'image/avif': AVIF,
  'image/tiff': TIFF,
  'image/svg+xml': SHARP('svg'),
  'image/heic': HEIC,
  'image/heic-sequence': HEIC,
  'image/heif': HEIC,
  'image/heif-sequence': HEIC,
  'image/vnd.adobe.photoshop': MAGICK('psd'),
  'image/bmp': MAGICK('bmp'),
  'image/x-icon': MAGICK('ico'),
  'image/jp2': JP2,
  'image/jpx': JP2,
  'image/jpm': JP2,
  'image/j2c': J2C,
  'image/jxl': JXL,
  'image/x-exr': EXR,
  'application/pdf': PDF,
  'image/x-adobe-dng': RAW('dng'),
  'image/x-canon-cr2': RAW('cr2'),
  'image/x-canon-cr3': RAW('cr3'),
  'image/x-nikon-nef': RAW('nef'),
  'image/x-sony-arw': RAW('arw'),
  'image/x-olympus-orf': RAW('orf'),
  'image/x-panasonic-rw2': RAW('rw2'),
  'image/x-fujifilm-raf': RAW('raf'),
  'image/x-pentax-pef': RAW('pef'),
  'image/x-samsung-srw': RAW('srw'),
};

/** All that are read where everything is installed, each once. */
export const IMAGE_FORMATS: readonly ImageFormat[] = [
  ...new Map(Object.values(BY_MIME).map((format) => [format.name, format])).values(),
];

export function formatOf(mime: string): ImageFormat | undefined {
  return Object.hasOwn(BY_MIME, mime) ? BY_MIME[mime] : undefined;
}

/** What people call a format that we don't read: `image/x-xcf` is an xcf. */
export const wordFor = (mime: string): string => mime.replace(/^[^/]*\//, '').replace(/^(x-|vnd\.)/, '');
