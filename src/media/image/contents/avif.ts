/** What a finished AVIF file consists of: boxes of ISO/IEC 14496-12, items of ISO/IEC 23008-12. */
import type { PixelSize } from '../headers.js';
import type { Contents } from './contents.js';

interface Box {
  readonly type: string;
  readonly data: Buffer;
}

/** Coded pictures; the second one of a file with transparency is its alpha. */
const PICTURE = 'av01';
const EXIF = 'Exif';
/** Of an item, what would make viewers show it otherwise than its pixels lie. */
const TRANSFORMS: ReadonlySet<string> = new Set(['irot', 'imir', 'clap']);

export function avifContents(bytes: Buffer): Contents | string {
  const file = boxes(bytes);
  if (typeof file === 'string') return file;
  const [type, meta, pixels] = ['ftyp', 'meta', 'mdat'].map((name) => file.find((box) => box.type === name)?.data);
  if (type?.toString('latin1', 0, 4) !== 'avif') return 'not an AVIF file';
  if (!meta || !pixels) return 'an AVIF file without pixels';
  const extra = file.find((box) => !['ftyp', 'meta', 'mdat', 'free'].includes(box.type));
  if (extra) return `it carries metadata (box ${extra.type})`;

  const items = children(meta.subarray(4));
  const properties = inside(items, 'iprp', 'ipco');
  const size = properties.find((box) => box.type === 'ispe')?.data;
  if (!size) return 'an AVIF file without a size';
  const turned = properties.find((box) => TRANSFORMS.has(box.type));
  if (turned) return `it is shown otherwise than it is stored (${turned.type})`;
  const entries = itemTypes(items);
  const foreign = [...entries.values()].find((name) => name !== PICTURE && name !== EXIF);
  if (foreign) return `it carries metadata (item ${foreign})`;
  const exifId = [...entries].find(([, name]) => name === EXIF)?.[0];
  return {
    ...sizeOf(size),
    hasProfile: properties.some(({ type: name, data }) => name === 'colr' && data.toString('latin1', 0, 4) !== 'nclx'),
    exif: exifId === undefined ? undefined : exifOf(bytes, items, exifId),
  };
}

const sizeOf = (ispe: Buffer): PixelSize => ({ width: ispe.readUInt32BE(4), height: ispe.readUInt32BE(8) });

function boxes(bytes: Buffer): Box[] | string {
  const found: Box[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    if (length < 8 || at + length > bytes.length) return 'not a whole AVIF file';
    found.push({ type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, at + length) });
    at += length;
  }
  return found;
}

function children(data: Buffer): Box[] {
  const found = boxes(data);
  return typeof found === 'string' ? [] : found;
}

function inside(items: readonly Box[], ...path: readonly string[]): Box[] {
  return path.reduce<Box[]>(
    (level, name) => children(level.find(({ type }) => type === name)?.data ?? Buffer.alloc(0)),
    [...items],
  );
}

/** `infe` boxes of version 2: two bytes of id, two of protection, then the type. */
function itemTypes(items: readonly Box[]): Map<number, string> {
  const info = items.find(({ type }) => type === 'iinf')?.data;
  const entries = info ? children(info.subarray(info[0] === 0 ? 6 : 8)) : [];
  return new Map(entries.map(({ data }) => [data.readUInt16BE(4), data.toString('latin1', 8, 12)]));
}

/** `iloc`: where the item lies in the file. The first four bytes of an Exif item say where its TIFF structure begins. */
function exifOf(bytes: Buffer, items: readonly Box[], wanted: number): Buffer | undefined {
  const iloc = items.find(({ type }) => type === 'iloc')?.data;
  // Versions 0 and 1 with 32-bit offsets and lengths are what libheif writes.
  if (!iloc || iloc[0]! > 1 || iloc[4] !== 0x44) return undefined;
  const baseSize = iloc[5]! >> 4;
  const count = iloc.readUInt16BE(6);
  for (let i = 0, at = 8; i < count; i++) {
    const id = iloc.readUInt16BE(at);
    at += (iloc[0] === 1 ? 4 : 2) + 2;
    const base = baseSize === 0 ? 0 : iloc.readUIntBE(at, Math.min(6, baseSize));
    at += baseSize;
    const extents = iloc.readUInt16BE(at);
    at += 2;
    if (id === wanted) {
      const start = base + iloc.readUInt32BE(at);
      const item = bytes.subarray(start, start + iloc.readUInt32BE(at + 4));
      return item.subarray(4 + item.readUInt32BE(0));
    }
    at += extents * 8;
  }
  return undefined;
}
