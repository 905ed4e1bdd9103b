/**
 * Directories of a TIFF structure, which most camera RAW files are, and the Exif block of a JPEG too. TIFF 6.0,
 * section 2. The file is a stranger's: every offset may lead anywhere, every count may be 4 thousand million.
 */
import type { Piece, ReadAt } from './bytes.js';

export interface Entry {
  readonly type: number;
  readonly count: number;
  /** Of the values, wherever they are. */
  readonly offset: number;
}

export type Directory = ReadonlyMap<number, Entry>;

export const TAG = {
  compression: 0x0103,
  photometric: 0x0106,
  make: 0x010f,
  stripOffsets: 0x0111,
  orientation: 0x0112,
  stripByteCounts: 0x0117,
  subDirectories: 0x014a,
  jpegOffset: 0x0201,
  jpegLength: 0x0202,
  copyright: 0x8298,
  exif: 0x8769,
  makerNote: 0x927c,
  dngVersion: 0xc612,
} as const;

/** Bytes of the types 1 to 13. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const BYTE_TYPES: ReadonlySet<number> = new Set([1, 2, 6, 7]);
const SHORT = 3;

const ENTRY = 12;
/** More than any camera writes. */
const MAX_ENTRIES = 1024;
const MAX_DIRECTORIES = 64;

/** TIFF's own 42, and what Olympus and Panasonic write in its place. */
const MAGICS: ReadonlySet<number> = new Set([0x2a, 0x4f52, 0x5352, 0x55]);

export class Tiff {
  private constructor(
    readonly read: ReadAt,
    readonly isLittle: boolean,
    private readonly first: number,
  ) {}

  /** @returns undefined when it does not begin like one */
  static async open(read: ReadAt): Promise<Tiff | undefined> {
    const head = await read(0, 8);
    const order = head.toString('latin1', 0, 2);
    if (head.length < 8 || (order !== 'II' && order !== 'MM')) return undefined;
    const isLittle = order === 'II';
    const magic = isLittle ? head.readUInt16LE(2) : head.readUInt16BE(2);
    return MAGICS.has(magic)
      ? new Tiff(read, isLittle, isLittle ? head.readUInt32LE(4) : head.readUInt32BE(4))
      : undefined;
  }

  /** The same structure with offsets counted from elsewhere, or in another order of bytes: notes of camera makers. */
  within(read: ReadAt, isLittle = this.isLittle): Tiff {
    return new Tiff(read, isLittle, 0);
  }

  /** Those of the chain, the first one first, each followed by those below it; loops and what is cut off are left out. */
  async directories(): Promise<Directory[]> {
    const found: Directory[] = [];
    const seen = new Set<number>();
    const visit = async (offset: number): Promise<number> => {
      if (offset === 0 || seen.has(offset) || seen.size >= MAX_DIRECTORIES) return 0;
      seen.add(offset);
      const read = await this.directory(offset);
      if (!read) return 0;
      found.push(read.directory);
      for (const tag of [TAG.subDirectories, TAG.exif]) {
        for (const below of await this.numbers(read.directory.get(tag), 16)) await visit(below);
      }
      return read.next;
    };
    for (let next = await visit(this.first); next !== 0;) next = await visit(next);
    return found;
  }

  /** @returns undefined when it is not whole */
  async directory(offset: number): Promise<{ readonly directory: Directory; readonly next: number } | undefined> {
    const head = await this.read(offset, 2);
    const count = head.length === 2 ? this.short(head, 0) : 0;
    if (count === 0 || count > MAX_ENTRIES) return undefined;
    const bytes = await this.read(offset + 2, count * ENTRY + 4);
    if (bytes.length < count * ENTRY) return undefined;
    const directory = new Map<number, Entry>();
    for (let i = 0; i < count; i++) {
      const at = i * ENTRY;
      const type = this.short(bytes, at + 2);
      const values = this.long(bytes, at + 4);
      const isInline = (TYPE_BYTES[type] ?? 0) * values <= 4;
      const where = isInline ? offset + 2 + at + 8 : this.long(bytes, at + 8);
      directory.set(this.short(bytes, at), { type, count: values, offset: where });
    }
    return { directory, next: bytes.length === count * ENTRY + 4 ? this.long(bytes, count * ENTRY) : 0 };
  }

  /** Whole numbers, at most so many; none when they are cut off or of another type. */
  async numbers(entry: Entry | undefined, most = 1): Promise<number[]> {
    if (!entry || ![SHORT, 4, 13].includes(entry.type)) return [];
    const size = TYPE_BYTES[entry.type]!;
    const count = Math.min(entry.count, most);
    const bytes = await this.read(entry.offset, count * size);
    if (bytes.length < count * size) return [];
    return Array.from({ length: count }, (_, i) => (size === 2 ? this.short(bytes, i * 2) : this.long(bytes, i * 4)));
  }

  async number(entry: Entry | undefined): Promise<number | undefined> {
    return (await this.numbers(entry))[0];
  }

  /** 1-8, as Exif has it. */
  async orientation(directory: Directory): Promise<number | undefined> {
    const value = await this.number(directory.get(TAG.orientation));
    return value !== undefined && value >= 1 && value <= 8 ? value : undefined;
  }

  /** Text up to its end or so many characters; empty when there is none. */
  async text(entry: Entry | undefined, most: number): Promise<string> {
    if (entry?.type !== 2) return '';
    const bytes = await this.read(entry.offset, Math.min(entry.count, most));
    return bytes.toString('utf8').split('\0')[0]!;
  }

  /** Where the bytes of an entry of bytes are. */
  static piece(entry: Entry | undefined): Piece | undefined {
    return entry && BYTE_TYPES.has(entry.type) ? { offset: entry.offset, length: entry.count } : undefined;
  }

  private short(bytes: Buffer, at: number): number {
    return this.isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }

  private long(bytes: Buffer, at: number): number {
    return this.isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }
}
