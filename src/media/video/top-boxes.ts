/** The outermost boxes of an MP4 or QuickTime file, read piece by piece. */
import { MAX_MOOV_BYTES } from './sample-table.js';
import type { ByteRange } from './movie-index.js';

export interface MovieLayout {
  /** The box `moov`. */
  readonly moov: ByteRange;
  /** What a demuxer reads besides: headers of all boxes, small boxes whole. */
  readonly outside: readonly ByteRange[];
}

/** @returns fewer bytes where the object ends before */
export type ReadBytes = (offset: number, length: number) => Promise<Buffer>;

const MAX_BOXES = 64;
/** Boxes that are neither media, nor index, nor filler: together not more than this. */
const MAX_OTHER_BYTES = 4 * 1024 ** 2;
/** Boxes whose content nobody reads, save their first bytes: old tools hide an index in `free`. */
const UNREAD = new Set(['mdat', 'free', 'skip', 'wide']);
const UNREAD_HEAD = 64;
const FIRST = new Set(['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip', 'pnot']);

/** Whether the first bytes of an object are those of such a file. */
export const looksLikeMovie = (head: Uint8Array): boolean =>
  head.length >= 8 && FIRST.has(Buffer.from(head.subarray(4, 8)).toString('latin1'));

/** @returns undefined for everything but a whole file with one index and without fragments */
export async function readLayout(read: ReadBytes, objectBytes: number): Promise<MovieLayout | undefined> {
  const outside: ByteRange[] = [];
  let moov: ByteRange | undefined;
  let [hasMedia, others] = [false, 0];
  for (let at = 0, count = 0; at + 8 <= objectBytes; count += 1) {
    if (count === MAX_BOXES) return undefined;
    const head = await read(at, 16);
    if (head.length < 8) return undefined;
    const type = head.toString('latin1', 4, 8);
    const size = boxSize(head, objectBytes - at);
    // Zeros at the end are filler.
    if (type === '\0\0\0\0' && moov && head.readUInt32BE(0) === 0) break;
    if (size === undefined || at + size > objectBytes || !/^[\x20-\x7e\xa9]{4}$/.test(type)) return undefined;
    if (['moof', 'sidx', 'styp', 'mfra', 'ssix'].includes(type) || (type === 'moov' && moov)) return undefined;
    const box = { from: at, to: at + size };
    if (type === 'moov') moov = box;
    else if (UNREAD.has(type)) outside.push({ from: at, to: at + Math.min(size, UNREAD_HEAD) });
    else {
      others += size;
      outside.push(box);
    }
    hasMedia ||= type === 'mdat';
    at += size;
  }
  if (!moov || !hasMedia || others > MAX_OTHER_BYTES || moov.to - moov.from > MAX_MOOV_BYTES) return undefined;
  return { moov, outside };
}

/** Bytes of a box, header included; 0 stands for the rest of the file, 1 for a 64-bit number behind the type. */
function boxSize(head: Buffer, rest: number): number | undefined {
  const short = head.readUInt32BE(0);
  const size = short === 0 ? rest : short === 1 && head.length >= 16 ? Number(head.readBigUInt64BE(8)) : short;
  return size >= (short === 1 ? 16 : 8) ? size : undefined;
}
