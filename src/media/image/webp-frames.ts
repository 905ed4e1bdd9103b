/** An animated WebP of still ones: the container only, RFC 9649, 2.7. */
import type { PixelSize } from './headers.js';

/** Bits of VP8X. */
const ANIMATION = 0x02;
const ALPHA = 0x10;
/** Of a frame: it replaces what is below it. */
const NO_BLEND = 0x02;
/** 24 bits. */
const MAX_MS = 2 ** 24 - 1;

const RIFF = 12;

/** Of all that stands before the first frame. */
export const ANIMATION_HEAD_BYTES = RIFF + 18 + 14;

/** @param loops 0: for ever @param bytes of the whole file */
export function animationHead(
  { width, height }: PixelSize,
  { loops, bytes }: { readonly loops: number; readonly bytes: number },
): Buffer {
  const head = Buffer.alloc(ANIMATION_HEAD_BYTES);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(bytes - 8, 4);
  head.write('WEBPVP8X', 8, 'latin1');
  head.writeUInt32LE(10, 16);
  head[20] = ANIMATION | ALPHA;
  head.writeUIntLE(width - 1, 24, 3);
  head.writeUIntLE(height - 1, 27, 3);
  head.write('ANIM', 30, 'latin1');
  head.writeUInt32LE(6, 34);
  head.writeUInt16LE(Math.min(loops, 0xffff), 42);
  return head;
}

/** @param still a WebP that covers the whole canvas */
export function frameChunk(still: Buffer, { width, height }: PixelSize, delayMs: number): Buffer {
  const data = pictureChunks(still);
  const head = Buffer.alloc(24);
  head.write('ANMF', 0, 'latin1');
  head.writeUInt32LE(16 + data.length, 4);
  head.writeUIntLE(width - 1, 14, 3);
  head.writeUIntLE(height - 1, 17, 3);
  head.writeUIntLE(Math.min(delayMs, MAX_MS), 20, 3);
  head[23] = NO_BLEND;
  return Buffer.concat([head, data]);
}

/** Its pixels and alpha, without container and canvas. @throws RangeError when it is cut off */
function pictureChunks(still: Buffer): Buffer {
  const wanted: Buffer[] = [];
  for (let at = RIFF; at < still.length;) {
    const length = still.readUInt32LE(at + 4);
    const end = at + 8 + length + (length & 1);
    if (['VP8 ', 'VP8L', 'ALPH'].includes(still.toString('latin1', at, at + 4))) wanted.push(still.subarray(at, end));
    at = end;
  }
  return Buffer.concat(wanted);
}
