/**
 * Size of a picture from the bytes of formats that sharp can't look into: what a decoder would have to make is known
 * before it is started. Every reader returns undefined for a header that is cut off or makes no sense.
 */

export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** So many leading bytes are looked at. */
export const HEADER_BYTES = 65_536;

type HeaderReader = (bytes: Buffer) => PixelSize | undefined;

const READERS: Readonly<Record<string, HeaderReader>> = { bmp, psd, jp2, j2c, jxl, webp };

/** @param format a name of `formats.ts`; icons have several pictures: `icon.ts`. */
export function readSize(format: string, head: Buffer): PixelSize | undefined {
  try {
    const size = READERS[format]?.(head);
    return size && size.width > 0 && size.height > 0 ? size : undefined;
  } catch (error) {
    if (isPastEnd(error)) return undefined;
    throw error;
  }
}

/** What Buffer throws for a read past the end. By its name: under jest Node's own RangeError is another class. */
export function isPastEnd(error: unknown): boolean {
  return (error as Partial<Error> | null)?.name === 'RangeError';
}

/** BITMAPCOREHEADER (12 bytes) has 16-bit sizes, all later ones 32-bit; a negative height means top-down rows. */
function bmp(bytes: Buffer): PixelSize | undefined {
  if (bytes.toString('latin1', 0, 2) !== 'BM') return undefined;
  return bitmapInfo(bytes.subarray(14));
}

export function bitmapInfo(bytes: Buffer): PixelSize {
  if (bytes.readUInt32LE(0) === 12) return { width: bytes.readUInt16LE(4), height: bytes.readUInt16LE(6) };
  return { width: Math.abs(bytes.readInt32LE(4)), height: Math.abs(bytes.readInt32LE(8)) };
}

export function pngSize(bytes: Buffer): PixelSize {
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/** The canvas of an extended file. RFC 9649, 2.7. */
function webp(bytes: Buffer): PixelSize | undefined {
  if (bytes.toString('latin1', 8, 16) !== 'WEBPVP8X') return undefined;
  return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
}

/** Also PSB: same places. */
function psd(bytes: Buffer): PixelSize | undefined {
  if (bytes.toString('latin1', 0, 4) !== '8BPS') return undefined;
  return { height: bytes.readUInt32BE(14), width: bytes.readUInt32BE(18) };
}

/**
 * The larger of `ihdr` and the codestream's own SIZ marker: a decoder may go by either.
 * ISO/IEC 15444-1, I.5.3.1.
 */
function jp2(bytes: Buffer): PixelSize | undefined {
  const header = bytes.indexOf('ihdr', 0, 'latin1');
  const stream = bytes.indexOf(Buffer.from([0xff, 0x4f, 0xff, 0x51]));
  if (header < 0 || stream < 0) return undefined;
  const height = bytes.readUInt32BE(header + 4);
  const width = bytes.readUInt32BE(header + 8);
  const inner = j2c(bytes.subarray(stream));
  return inner && { width: Math.max(width, inner.width), height: Math.max(height, inner.height) };
}

/** SIZ: reference grid less the image's offset. ISO/IEC 15444-1, A.5.1. */
function j2c(bytes: Buffer): PixelSize | undefined {
  if (bytes.readUInt32BE(0) !== 0xff4fff51) return undefined;
  const at = (offset: number): number => bytes.readUInt32BE(offset);
  return { width: at(8) - at(16), height: at(12) - at(20) };
}

/**
 * How often both sides can be halved while decoding: the decomposition levels of the first COD marker, which is
 * required in the main header. ISO/IEC 15444-1, A.6.1.
 */
export function jp2Halvings(head: Buffer): number {
  const stream = head.indexOf(Buffer.from([0xff, 0x4f, 0xff, 0x51]));
  for (let at = stream + 2; stream >= 0 && at + 10 <= head.length && head[at] === 0xff;) {
    if (head[at + 1] === 0x52) return Math.min(32, head[at + 9]!);
    at += 2 + head.readUInt16BE(at + 2);
  }
  return 0;
}

/** Naked codestream, or the first `jxlc` or `jxlp` box of a container. ISO/IEC 18181-2. */
function jxl(bytes: Buffer): PixelSize | undefined {
  if (bytes.readUInt16BE(0) === 0xff0a) return jxlSize(bytes.subarray(2));
  for (const [box, skip] of [
    ['jxlc', 4],
    ['jxlp', 8],
  ] as const) {
    const found = bytes.indexOf(box, 0, 'latin1');
    if (found >= 0 && bytes.readUInt16BE(found + skip) === 0xff0a) return jxlSize(bytes.subarray(found + skip + 2));
  }
  return undefined;
}

const JXL_RATIOS = [
  [1, 1],
  [12, 10],
  [4, 3],
  [3, 2],
  [16, 9],
  [5, 4],
  [2, 1],
] as const;

/** SizeHeader: bits from the least significant one. ISO/IEC 18181-1, D.2. */
function jxlSize(bytes: Buffer): PixelSize {
  let position = 0;
  const bits = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++, position++) {
      value += ((bytes.readUInt8(position >> 3) >> (position & 7)) & 1) * 2 ** i;
    }
    return value;
  };
  const small = bits(1) === 1;
  const side = (): number => (small ? (bits(5) + 1) * 8 : bits([9, 13, 18, 30][bits(2)]!) + 1);
  const height = side();
  const ratio = bits(3);
  if (ratio === 0) return { width: side(), height };
  const [num, den] = JXL_RATIOS[ratio - 1]!;
  return { width: Math.floor((height * num) / den), height };
}
