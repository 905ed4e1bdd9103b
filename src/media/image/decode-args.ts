/** What the programs are told that turn a picture into one that sharp reads: names in the current folder, the format never guessed. */
import { EXR, HEIC, J2C, JP2, JXL, type ImageFormat } from './formats.js';

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

/** ffmpeg: an OpenEXR picture as TIFF. Light of a scene, linear, becomes what screens show. */
export function exrArguments(source: string, output: string, hasAlpha: boolean): string[] {
  // Colours of OpenEXR are premultiplied by their alpha, those of others are not.
  const filter = hasAlpha ? 'format=gbrap,unpremultiply=inplace=1,format=rgba' : 'format=rgb24';
  return [
    ...['-apply_trc', 'iec61966_2_1', '-threads', '1', '-f', EXR.input!, '-i', source],
    ...['-frames:v', '1', '-vf', filter, '-c:v', 'tiff', '-compression_algo', 'raw', '-f', 'image2', output],
  ];
}

/** As ffprobe names them. */
export interface JxlColours {
  readonly primaries: string;
  readonly transfer: string;
}

/** ffprobe: the colours of a JPEG XL picture, when it names them instead of carrying a profile. */
export const jxlProbeArguments = (source: string): string[] => [
  ...['-f', JXL.input!, '-show_entries', 'stream=color_primaries,color_transfer', '-of', 'default=nw=1', source],
];

export function jxlColours(report: string): JxlColours {
  const value = (name: string): string => new RegExp(`^${name}=(\\S+)`, 'm').exec(report)?.[1] ?? 'unknown';
  return { primaries: value('color_primaries'), transfer: value('color_transfer') };
}

/** ffmpeg: a JPEG XL picture as a PNG of 8 bits, which holds its profile where it has one; else in sRGB. */
export function jxlArguments(source: string, output: string, colours: JxlColours): string[] {
  return [
    ...['-threads', '1', '-f', JXL.input!, '-i', source],
    ...['-frames:v', '1', '-vf', [...toSrgb(colours), 'format=rgb24|rgba|gray|ya8'].join(',')],
    ...['-c:v', 'png', '-compression_level', '1', '-pred', 'sub', '-f', 'image2', output],
  ];
}

const SRGB = { primaries: 'bt709', transfer: 'iec61966-2-1' };
/** What zscale knows by the same names. */
const PRIMARIES: ReadonlySet<string> = new Set(['bt709', 'bt470m', 'bt470bg', 'bt2020', 'smpte431', 'smpte432']);
const TRANSFERS: ReadonlySet<string> = new Set([SRGB.transfer, 'bt709', 'linear', 'smpte2084', 'arib-std-b67']);

function toSrgb({ primaries, transfer }: JxlColours): string[] {
  const from = {
    primaries: PRIMARIES.has(primaries) ? primaries : SRGB.primaries,
    transfer: TRANSFERS.has(transfer) ? transfer : SRGB.transfer,
  };
  if (from.primaries === SRGB.primaries && from.transfer === SRGB.transfer) return [];
  const input = `primariesin=${from.primaries}:transferin=${from.transfer}:matrixin=gbr`;
  const output = `primaries=${SRGB.primaries}:transfer=${SRGB.transfer}:matrix=gbr`;
  return ['format=gbrp|gbrap', `zscale=${input}:${output}`];
}

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
