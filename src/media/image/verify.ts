/**
 * Looks at a finished picture byte by byte, in the trusted process: its type, size and end, and that it carries no
 * metadata. That its pixels decode was seen in the sandbox that wrote it.
 */
import type { ImageVariant } from '../../contracts/image.js';
import { isPastEnd, type PixelSize } from './headers.js';

/** @returns what is wrong, in words, or undefined. */
export function findFault(
  bytes: Buffer,
  variant: Pick<ImageVariant, 'format' | 'width' | 'height'>,
): string | undefined {
  try {
    const size = variant.format === 'jpeg' ? jpegSize(bytes) : variant.format === 'webp' ? webpSize(bytes) : undefined;
    if (!size) return `no reader for ${variant.format}`;
    if (typeof size === 'string') return size;
    if (size.width !== variant.width || size.height !== variant.height) {
      return `${size.width}x${size.height} instead of ${variant.width}x${variant.height}`;
    }
    return undefined;
  } catch (error) {
    if (isPastEnd(error)) return 'it is cut off';
    throw error;
  }
}

const SOI = 0xffd8;
const SOS = 0xffda;
const EOI = 0xffd9;
const JFIF = 0xffe0;
/** Adobe's segment: 12 bytes that say how colours are coded, needed to decode. */
const APP14 = 0xffee;
const COMMENT = 0xfffe;
/** Start of frame: all of C0-CF but the tables DHT, JPG and DAC. */
const isFrame = (marker: number): boolean =>
  marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);

/** The segments before the first scan. ITU-T T.81, B.1.1. */
function jpegSize(bytes: Buffer): PixelSize | string {
  if (bytes.readUInt16BE(0) !== SOI || bytes.readUInt16BE(bytes.length - 2) !== EOI) return 'not a whole JPEG file';
  let size: PixelSize | undefined;
  for (let at = 2; ;) {
    const marker = bytes.readUInt16BE(at);
    if (marker === SOS) return size ?? 'a JPEG file without a frame';
    if (marker < 0xffc0) return 'not a JPEG marker';
    const metadata = (marker > JFIF && marker <= 0xffef && marker !== APP14) || marker === COMMENT;
    if (metadata) return `it carries metadata (segment ${marker.toString(16)})`;
    if (isFrame(marker)) size = { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
}

/** RIFF chunks: of these only pixels and alpha. RFC 9649, 2.3 to 2.7. */
function webpSize(bytes: Buffer): PixelSize | string {
  const name = (at: number): string => bytes.toString('latin1', at, at + 4);
  if (name(0) !== 'RIFF' || name(8) !== 'WEBP' || bytes.readUInt32LE(4) + 8 !== bytes.length) {
    return 'not a whole WebP file';
  }
  let size: PixelSize | undefined;
  for (let at = 12; at < bytes.length;) {
    const chunk = name(at);
    const length = bytes.readUInt32LE(at + 4);
    const data = at + 8;
    if (chunk === 'VP8X')
      size = { width: bytes.readUIntLE(data + 4, 3) + 1, height: bytes.readUIntLE(data + 7, 3) + 1 };
    else if (chunk === 'VP8 ')
      size ??= { width: bytes.readUInt16LE(data + 6) & 0x3fff, height: bytes.readUInt16LE(data + 8) & 0x3fff };
    else if (chunk === 'VP8L') size ??= losslessSize(bytes.readUInt32LE(data + 1));
    else if (chunk !== 'ALPH') return `it carries metadata (chunk ${chunk.trim()})`;
    at = data + length + (length % 2);
  }
  return size ?? 'a WebP file without pixels';
}

const losslessSize = (bits: number): PixelSize => ({
  width: (bits & 0x3fff) + 1,
  height: ((bits >>> 14) & 0x3fff) + 1,
});
