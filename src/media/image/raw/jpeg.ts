/** What a JPEG inside another file is: its size, whether viewers can show it, whether it says which way is up. */
import { from, type ReadAt } from './bytes.js';
import { TAG, Tiff } from './tiff.js';

export interface JpegHead {
  readonly width: number;
  readonly height: number;
  /** Exif orientation, 1-8; absent when it has none. */
  readonly orientation?: number | undefined;
  /** Where that is written, and what is to be written there for "upright". */
  readonly orientationAt?: { readonly offset: number; readonly upright: Buffer } | undefined;
}

const SOS = 0xda;
const EXIF = 'Exif\0\0';
/** Baseline, extended, progressive: what viewers show. Cameras keep sensor data as lossless JPEG (C3). ITU-T T.81, table B.1. */
const SHOWN: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);
/** More than an honest file has before its first scan. */
const MAX_SEGMENTS = 256;

/** @returns undefined when it is none, or none that can be shown: not of 8 bits and one, three or four colours */
export async function readJpegHead(read: ReadAt): Promise<JpegHead | undefined> {
  const start = await read(0, 3);
  if (start.length < 3 || start.readUIntBE(0, 3) !== 0xffd8ff) return undefined;
  let turn: Pick<JpegHead, 'orientation' | 'orientationAt'> | undefined;
  for (let at = 2, segments = 0; segments < MAX_SEGMENTS; segments++) {
    const head = await read(at, 16);
    if (head.length < 12 || head[0] !== 0xff) return undefined;
    const marker = head[1]!;
    if (marker === SOS) return undefined;
    if (isFrame(marker)) return SHOWN.has(marker) ? frame(head, turn) : undefined;
    if (marker === 0xe1 && head.toString('latin1', 4, 10) === EXIF) turn ??= await turnOf(read, at + 10);
    // A fill byte may stand before a marker.
    at += marker === 0xff ? 1 : 2 + head.readUInt16BE(2);
  }
  return undefined;
}

function frame(head: Buffer, turn: Partial<JpegHead> | undefined): JpegHead | undefined {
  const [height, width] = [head.readUInt16BE(5), head.readUInt16BE(7)];
  const isShown = head[4] === 8 && [1, 3, 4].includes(head[9]!) && width > 0 && height > 0;
  return isShown ? { width, height, ...turn } : undefined;
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

async function turnOf(
  read: ReadAt,
  base: number,
): Promise<Pick<JpegHead, 'orientation' | 'orientationAt'> | undefined> {
  const tiff = await Tiff.open(from(read, base));
  const [first] = (await tiff?.directories()) ?? [];
  const orientation = first && (await tiff?.orientation(first));
  if (!tiff || orientation === undefined) return undefined;
  const offset = base + first!.get(TAG.orientation)!.offset;
  return { orientation, orientationAt: { offset, upright: Buffer.from(tiff.isLittle ? [1, 0] : [0, 1]) } };
}

/**
 * The segment that says which way is up, to be written right after the first two bytes. Exif 2.32, 4.5 and 4.7.2.
 *
 * @param orientation 1-8
 */
export function orientationSegment(orientation: number): Buffer {
  const segment = Buffer.alloc(36);
  segment.writeUInt32BE(0xffe10022, 0);
  segment.write(`${EXIF}MM`, 4, 'latin1');
  segment.writeUInt16BE(0x2a, 12);
  segment.writeUInt32BE(8, 14);
  // One entry, a SHORT.
  segment.writeUInt16BE(1, 18);
  segment.writeUInt16BE(TAG.orientation, 20);
  segment.writeUInt16BE(3, 22);
  segment.writeUInt32BE(1, 24);
  segment.writeUInt16BE(orientation, 28);
  return segment;
}
