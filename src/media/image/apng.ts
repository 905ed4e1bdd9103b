/** Animated PNG: its frames, from its chunks. W3C PNG, third edition, 5.3 and 11.3. */
import { MediaError } from '../../contracts/errors.js';
import type { ReadAt } from './raw/bytes.js';
import type { PixelSize } from './headers.js';

export interface ApngHeader extends PixelSize {
  readonly frames: number;
  /** 0: for ever. */
  readonly plays: number;
  /** Milliseconds each frame is shown; one of each, in order. */
  readonly delays: readonly number[];
}

/** A chunk is 12 bytes at least: a file of nothing but empty ones would keep us for long. */
const MAX_CHUNKS = 100_000;

/**
 * @returns undefined when it is not animated
 * @throws MediaError DAMAGED_FILE
 */
export async function readApng(read: ReadAt): Promise<ApngHeader | undefined> {
  const ihdr = await read(16, 8);
  if (ihdr.length < 8) throw damaged();
  let animation: { readonly frames: number; readonly plays: number } | undefined;
  const delays: number[] = [];
  let at = 8;
  for (let chunks = 0; chunks < MAX_CHUNKS; chunks++) {
    const chunk = await read(at, 8 + 26);
    const type = chunk.toString('latin1', 4, 8);
    if (chunk.length < 8 || type === 'IEND') break;
    if (type === 'acTL' && chunk.length >= 16) {
      animation ??= { frames: chunk.readUInt32BE(8), plays: chunk.readUInt32BE(12) };
    } else if (type === 'fcTL' && chunk.length === 34 && delays.length <= (animation?.frames ?? 0)) {
      delays.push(delay(chunk.readUInt16BE(8 + 20), chunk.readUInt16BE(8 + 22)));
    }
    at += 12 + chunk.readUInt32BE(0);
  }
  if (!animation) return undefined;
  return { width: ihdr.readUInt32BE(0), height: ihdr.readUInt32BE(4), ...animation, delays };
}

/** "If the denominator is 0, it is to be treated as if it were 100." WebP has 24 bits for milliseconds; a numerator of 16 fits. */
const delay = (numerator: number, denominator: number): number => Math.round((1000 * numerator) / (denominator || 100));

const damaged = (): MediaError => new MediaError('DAMAGED_FILE', 'It has no readable PNG header.');
