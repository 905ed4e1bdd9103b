/** What a finished PNG file consists of. W3C PNG, third edition, 5 and 11. */
import type { PixelSize } from '../headers.js';
import type { Contents } from './contents.js';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Pixels, palette, transparency, pixel density: no metadata. */
const PLAIN: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'tRNS', 'bKGD', 'sBIT', 'pHYs', 'IDAT', 'IEND']);

export function pngContents(bytes: Buffer): Contents | string {
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) return 'not a PNG file';
  let size: PixelSize | undefined;
  let hasProfile = false;
  let hasPixels = false;
  let exif: Buffer | undefined;
  for (let at = 8; ;) {
    const length = bytes.readUInt32BE(at);
    const data = at + 8;
    const type = bytes.toString('latin1', at + 4, data);
    if (data + length + 4 > bytes.length) return 'it is cut off';
    if (type === 'IHDR') size = { width: bytes.readUInt32BE(data), height: bytes.readUInt32BE(data + 4) };
    else if (type === 'IDAT') hasPixels = true;
    else if (type === 'iCCP') hasProfile = true;
    else if (type === 'eXIf') exif = bytes.subarray(data, data + length);
    else if (!PLAIN.has(type)) return `it carries metadata (chunk ${type})`;
    at = data + length + 4;
    if (type !== 'IEND') continue;
    if (at !== bytes.length) return 'there is more after its end';
    return size && hasPixels ? { ...size, hasProfile, exif } : 'a PNG file without pixels';
  }
}
