/**
 * Canon's CR3: boxes of ISO/IEC 14496-12. Its pictures are the first sample of each track (one of them the full-size
 * JPEG) and two smaller ones in boxes of Canon's own. https://github.com/lclevy/canon_cr3
 */
import { from, type Piece, type ReadAt } from './bytes.js';
import { Tiff } from './tiff.js';

interface Box extends Piece {
  readonly type: string;
}

export interface Cr3 {
  readonly previews: readonly Piece[];
  /** The structure that other cameras' files begin with. */
  readonly tiff: Tiff | undefined;
}

const CANON = '85c0b687820f11e08111f4ce462b6a48';
const PREVIEW = 'eaf42b5e1c984b88b9fbb7dc406e4d16';
const MAX_BOXES = 64;
/** A JPEG begins so few bytes into Canon's boxes at most. */
const BOX_HEAD = 64;

export async function readCr3(read: ReadAt, fileBytes: number): Promise<Cr3> {
  const file = await boxes(read, { offset: 0, length: fileBytes });
  const previews: (Piece | undefined)[] = [];
  let tiff: Tiff | undefined;
  const moov = file.find(({ type }) => type === 'moov');
  for (const box of moov ? await boxes(read, moov) : []) {
    if (box.type === 'trak') previews.push(await firstSample(read, box));
    if (!(await isOf(read, box, CANON))) continue;
    const inside = await boxes(read, skip(box, 16));
    const settings = inside.find(({ type }) => type === 'CMT1');
    tiff = settings && (await Tiff.open(from(read, settings.offset)));
    previews.push(
      await jpegIn(
        read,
        inside.find(({ type }) => type === 'THMB'),
      ),
    );
  }
  for (const box of file) {
    if (!(await isOf(read, box, PREVIEW))) continue;
    // After the name, eight bytes that hold a version and a count.
    const inside = await boxes(read, skip(box, 24));
    previews.push(
      await jpegIn(
        read,
        inside.find(({ type }) => type === 'PRVW'),
      ),
    );
  }
  return { tiff, previews: previews.filter((piece) => piece !== undefined) };
}

/** What lies in a piece of the file, as far as it makes sense. */
async function boxes(read: ReadAt, { offset, length }: Piece): Promise<Box[]> {
  const found: Box[] = [];
  for (let at = offset; at + 8 <= offset + length && found.length < MAX_BOXES;) {
    const head = await read(at, 16);
    if (head.length < 8) break;
    const short = head.readUInt32BE(0);
    if (short === 1 && head.length < 16) break;
    const header = short === 1 ? 16 : 8;
    const size = short === 1 ? Number(head.readBigUInt64BE(8)) : short === 0 ? offset + length - at : short;
    if (size < header || at + size > offset + length) break;
    found.push({ type: head.toString('latin1', 4, 8), offset: at + header, length: size - header });
    at += size;
  }
  return found;
}

const skip = ({ offset, length }: Piece, bytes: number): Piece => ({ offset: offset + bytes, length: length - bytes });

async function isOf(read: ReadAt, { type, offset }: Box, id: string): Promise<boolean> {
  return type === 'uuid' && (await read(offset, 16)).toString('hex') === id;
}

async function jpegIn(read: ReadAt, box: Box | undefined): Promise<Piece | undefined> {
  if (!box) return undefined;
  const start = (await read(box.offset, BOX_HEAD)).indexOf(Buffer.from([0xff, 0xd8, 0xff]));
  return start < 0 ? undefined : skip(box, start);
}

async function firstSample(read: ReadAt, track: Box): Promise<Piece | undefined> {
  let inside: Box = track;
  for (const name of ['mdia', 'minf', 'stbl']) {
    const box = (await boxes(read, inside)).find(({ type }) => type === name);
    if (!box) return undefined;
    inside = box;
  }
  const tables = await boxes(read, inside);
  const table = async (name: string, bytes: number): Promise<Buffer | undefined> => {
    const box = tables.find(({ type }) => type === name);
    const found = box && (await read(box.offset, bytes));
    return found?.length === bytes ? found : undefined;
  };
  const sizes = await table('stsz', 16);
  const long = await table('co64', 16);
  const short = long ?? (await table('stco', 12));
  if (!sizes || !short) return undefined;
  // One size for all samples, or that of the first.
  const length = sizes.readUInt32BE(4) || sizes.readUInt32BE(12);
  return { offset: long ? Number(long.readBigUInt64BE(8)) : short.readUInt32BE(8), length };
}
