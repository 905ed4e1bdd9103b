/** The header of an OpenEXR file. https://openexr.com/en/latest/OpenEXRFileLayout.html */
import { isPastEnd, type PixelSize } from './headers.js';

export interface ExrHeader extends PixelSize {
  readonly hasAlpha: boolean;
}

const MAGIC = 0x762f3101;
const MAX_ATTRIBUTES = 256;

/** Of the two windows the larger: decoders make the one that is shown and go through the one that is stored. */
export function exrHeader(bytes: Buffer): ExrHeader | undefined {
  try {
    return bytes.length >= 8 && bytes.readUInt32BE(0) === MAGIC ? readAttributes(bytes) : undefined;
  } catch (error) {
    if (isPastEnd(error)) return undefined;
    throw error;
  }
}

function readAttributes(bytes: Buffer): ExrHeader | undefined {
  const windows: PixelSize[] = [];
  let hasAlpha = false;
  let at = 8;
  for (let i = 0; i < MAX_ATTRIBUTES; i++) {
    const name = textAt(bytes, at);
    if (name === '') break;
    at += name.length + 1;
    const type = textAt(bytes, at);
    at += type.length + 1;
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (type === 'box2i') windows.push(windowSize(bytes, at));
    if (type === 'chlist') hasAlpha ||= channels(bytes.subarray(at, at + length)).includes('A');
    at += length;
  }
  const [width, height] = [Math.max(0, ...windows.map((w) => w.width)), Math.max(0, ...windows.map((w) => w.height))];
  return width > 0 && height > 0 ? { width, height, hasAlpha } : undefined;
}

/** Each name is followed by 16 bytes that say how the channel is stored. */
function channels(list: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at < list.length && list[at] !== 0;) {
    const name = textAt(list, at);
    names.push(name);
    at += name.length + 1 + 16;
  }
  return names;
}

/** Up to the zero that ends it. @throws RangeError when there is none */
function textAt(bytes: Buffer, at: number): string {
  const end = bytes.indexOf(0, at);
  if (end < 0) throw new RangeError('A name without an end.');
  return bytes.toString('latin1', at, end);
}

/** Corners, both within. */
function windowSize(bytes: Buffer, at: number): PixelSize {
  const corner = (offset: number): number => bytes.readInt32LE(at + offset);
  return { width: corner(8) - corner(0) + 1, height: corner(12) - corner(4) + 1 };
}
