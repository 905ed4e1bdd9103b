/** Windows icons and cursors: several pictures in one file, of which the largest is the one to show. */
import { bitmapInfo, pngSize, type PixelSize } from './headers.js';

export interface IconPicture extends PixelSize {
  /** A PNG as it is, or an icon file with this one entry. */
  readonly type: 'png' | 'ico';
  readonly bytes: Buffer;
}

const DIRECTORY = 6;
const ENTRY = 16;
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * The entry with the most pixels, then the most bytes (colours), as a file of its own: a decoder is never shown the
 * others. Sizes come from the pictures themselves; the directory's byte-sized ones may be anything.
 *
 * @returns undefined when no entry lies whole within the file.
 */
export function largestIcon(file: Buffer): IconPicture | undefined {
  if (file.length < DIRECTORY) return undefined;
  let best: IconPicture | undefined;
  for (let i = 0; i < file.readUInt16LE(4); i++) {
    const entry = file.subarray(DIRECTORY + i * ENTRY, DIRECTORY + (i + 1) * ENTRY);
    if (entry.length < ENTRY) break;
    const picture = readEntry(file, entry);
    if (picture && (!best || compare(picture, best) > 0)) best = picture;
  }
  return best;
}

function readEntry(file: Buffer, entry: Buffer): IconPicture | undefined {
  const start = entry.readUInt32LE(12);
  const payload = file.subarray(start, start + entry.readUInt32LE(8));
  if (payload.length < entry.readUInt32LE(8) || payload.length < 40) return undefined;
  if (payload.subarray(0, 8).equals(PNG_SIGNATURE)) return { type: 'png', ...pngSize(payload), bytes: payload };
  const { width, height } = bitmapInfo(payload);
  // The mask lies below the picture and is counted in its height.
  return { type: 'ico', width, height: Math.floor(height / 2), bytes: alone(entry, payload) };
}

function alone(entry: Buffer, payload: Buffer): Buffer {
  const directory = Buffer.from([0, 0, 1, 0, 1, 0]);
  const moved = Buffer.from(entry);
  moved.writeUInt32LE(DIRECTORY + ENTRY, 12);
  return Buffer.concat([directory, moved, payload]);
}

function compare(a: IconPicture, b: IconPicture): number {
  return a.width * a.height - b.width * b.height || a.bytes.length - b.bytes.length;
}
