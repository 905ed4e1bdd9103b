/** What a finished WebP file consists of. RFC 9649, 2.3 to 2.7. */
import type { PixelSize } from '../headers.js';
import type { Contents } from './contents.js';

/** Of all chunks only pixels, alpha, frames, colour profile and Exif. */
export function webpContents(bytes: Buffer): Contents | string {
  const name = (at: number): string => bytes.toString('latin1', at, at + 4);
  if (name(0) !== 'RIFF' || name(8) !== 'WEBP' || bytes.readUInt32LE(4) + 8 !== bytes.length) {
    return 'not a whole WebP file';
  }
  let canvas: PixelSize | undefined;
  let picture: PixelSize | undefined;
  let hasProfile = false;
  let exif: Buffer | undefined;
  let frames = 0;
  for (let at = 12; at < bytes.length;) {
    const chunk = name(at);
    const length = bytes.readUInt32LE(at + 4);
    const data = at + 8;
    if (data + length > bytes.length) return 'it is cut off';
    switch (chunk) {
      case 'VP8X':
        canvas = { width: bytes.readUIntLE(data + 4, 3) + 1, height: bytes.readUIntLE(data + 7, 3) + 1 };
        break;
      case 'VP8 ':
        picture = { width: bytes.readUInt16LE(data + 6) & 0x3fff, height: bytes.readUInt16LE(data + 8) & 0x3fff };
        break;
      case 'VP8L':
        picture = losslessSize(bytes.readUInt32LE(data + 1));
        break;
      case 'ANMF':
        frames++;
        break;
      case 'ICCP':
        hasProfile = true;
        break;
      case 'EXIF':
        exif = bytes.subarray(data + prefixLength(bytes, data), data + length);
        break;
      case 'ALPH':
      case 'ANIM':
        break;
      default:
        return `it carries metadata (chunk ${chunk.trim()})`;
    }
    at = data + length + (length % 2);
  }
  const size = canvas ?? picture;
  if (!size || !(picture ?? frames)) return 'a WebP file without pixels';
  return { ...size, hasProfile, exif, isAnimated: frames > 0 };
}

/** Some writers put JPEG's word in front. */
const prefixLength = (bytes: Buffer, at: number): number =>
  bytes.toString('latin1', at, at + 6) === 'Exif\0\0' ? 6 : 0;

const losslessSize = (bits: number): PixelSize => ({
  width: (bits & 0x3fff) + 1,
  height: ((bits >>> 14) & 0x3fff) + 1,
});
