/** What the programs are told that turn a picture into one that sharp reads: names in the current folder, the format never guessed. */
import { HEIC, J2C, JP2, type ImageFormat } from './formats.js';

/**
 * ImageMagick: the first picture of a file (a PSD's flattened one), 8 bits a channel, with no metadata but its colour
 * profile. TIFF holds all colour spaces and takes no time to write; what comes in CMYK stays so, for the profile to be
 * applied later.
 *
 * The orientation that some of them name is dropped: the pixels of all these formats are upright (of HEIC once libheif
 * has read them: "Exif orientation shall be ignored", ISO/IEC 23008-12, A.2.1).
 *
 * @param halvings JPEG 2000 only: how often both sides are halved, while decoding
 */
export function magickArguments(format: ImageFormat, source: string, output: string, halvings = 0): string[] {
  const isYcc = [HEIC, JP2, J2C].includes(format);
  return [
    ...(halvings > 0 ? ['-define', `jp2:reduce-factor=${halvings}`] : []),
    `${format.input}:${source}[0]`,
    ...['-orient', 'TopLeft'],
    ...(isYcc ? ['-colorspace', 'sRGB'] : []),
    ...['-depth', '8'],
    ...['+profile', '!icc,*'],
    ...['-compress', 'None'],
    `tiff:${output}`,
  ];
}

/** libheif's own converter: half the time of ImageMagick and no disk. The format goes by the name. */
export function heifArguments(source: string, output: string): string[] {
  return ['--quiet', '-q', '100', source, output];
}

/** ffmpeg: the first frame as a PNG of 8 bits, which holds a colour profile where ffmpeg knows it. */
export function ffmpegArguments(format: ImageFormat, source: string, output: string, hasAlpha = true): string[] {
  const isExr = format.input === 'exr_pipe';
  return [
    // Light of a scene, linear, to what screens show: the picture's own numbers mean nothing to them.
    ...(isExr ? ['-apply_trc', 'iec61966_2_1'] : []),
    ...['-threads', '1', '-f', format.input!, '-i', source],
    ...['-frames:v', '1', '-vf', isExr ? exrFilter(hasAlpha) : 'format=rgb24|rgba|gray|ya8'],
    ...['-c:v', 'png', '-compression_level', '1', '-pred', 'sub', '-f', 'image2', output],
  ];
}

/** Colours of OpenEXR are premultiplied by their alpha, those of PNG are not. */
const exrFilter = (hasAlpha: boolean): string =>
  hasAlpha ? 'format=gbrap,unpremultiply=inplace=1,format=rgba' : 'format=rgb24';

/** ffmpeg: every frame of an animated PNG, whole, as a lossless WebP of its own: `<stem>0001.webp` and so on. */
export function framesArguments(source: string, stem: string, maxFrames: number): string[] {
  return [
    ...['-threads', '1', '-f', 'apng', '-i', source],
    ...['-frames:v', String(maxFrames), '-fps_mode', 'passthrough', '-pix_fmt', 'bgra'],
    // The least effort: the file is read once and thrown away.
    ...['-c:v', 'libwebp', '-lossless', '1', '-compression_level', '0', '-quality', '0'],
    ...['-f', 'image2', `${stem}%04d.webp`],
  ];
}
