/** Camera RAW files of our own making, around JPEGs: the directories that cameras write, and noise where sensor data would be. */

type Value = number | readonly number[] | string | Buffer | Directory;
/** An entry's type and value; a directory stands for the offset of one. */
export interface Directory {
  readonly [tag: number]: readonly [
    type: 'byte' | 'ascii' | 'short' | 'long' | 'undefined' | 'ifd' | 'jpeg',
    value: Value,
  ];
}

const TYPES = { byte: 1, ascii: 2, short: 3, long: 4, undefined: 7, ifd: 13, jpeg: 4 };

export interface TiffOptions {
  readonly order?: 'II' | 'MM';
  /** In the place of 42. */
  readonly magic?: number;
  /** Stands between header and directories: Canon's mark, for one. */
  readonly before?: Buffer;
}

/**
 * Directories of the chain one after the other. A `jpeg` entry is a LONG that holds the offset of its bytes; the
 * entry that holds their number is the caller's.
 */
export function tiffFile(chain: readonly Directory[], options: TiffOptions = {}): Buffer {
  const { order = 'II', magic = 0x2a, before = Buffer.alloc(0) } = options;
  const writer = new Writer(order === 'II');
  writer.append(Buffer.from(order, 'latin1'));
  writer.append(writer.short(magic));
  const first = writer.append(writer.long(0));
  writer.append(before);
  let link = first;
  for (const directory of chain) {
    const at = writer.directory(directory);
    writer.patch(link, at.offset);
    link = at.next;
  }
  return writer.bytes();
}

class Writer {
  private parts: Buffer = Buffer.alloc(0);

  constructor(private readonly little: boolean) {}

  short(value: number): Buffer {
    const bytes = Buffer.alloc(2);
    if (this.little) bytes.writeUInt16LE(value);
    else bytes.writeUInt16BE(value);
    return bytes;
  }

  long(value: number): Buffer {
    const bytes = Buffer.alloc(4);
    if (this.little) bytes.writeUInt32LE(value);
    else bytes.writeUInt32BE(value);
    return bytes;
  }

  /** @returns where it is */
  append(bytes: Buffer): number {
    const at = this.parts.length;
    this.parts = Buffer.concat([this.parts, bytes]);
    return at;
  }

  patch(at: number, value: number): void {
    this.long(value).copy(this.parts, at);
  }

  bytes(): Buffer {
    return this.parts;
  }

  /** Its values lie behind it. */
  directory(directory: Directory): { offset: number; next: number } {
    const tags = Object.keys(directory).map(Number);
    const offset = this.append(Buffer.concat([this.short(tags.length), Buffer.alloc(tags.length * 12 + 4)]));
    tags.forEach((tag, i) => {
      const [type, value] = directory[tag]!;
      const { count, bytes } = this.encode(type, value);
      const entry = offset + 2 + i * 12;
      const head = Buffer.concat([this.short(tag), this.short(TYPES[type]), this.long(count)]);
      head.copy(this.parts, entry);
      if (bytes.length > 4) this.patch(entry + 8, this.append(bytes));
      else bytes.copy(this.parts, entry + 8);
    });
    return { offset, next: offset + 2 + tags.length * 12 };
  }

  private encode(type: keyof typeof TYPES, value: Value): { count: number; bytes: Buffer } {
    if (type === 'jpeg') return { count: 1, bytes: this.long(this.append(value as Buffer)) };
    if (Buffer.isBuffer(value)) return { count: value.length, bytes: value };
    if (typeof value === 'string') return { count: value.length + 1, bytes: Buffer.from(`${value}\0`, 'latin1') };
    if (typeof value === 'object' && !Array.isArray(value)) {
      return { count: 1, bytes: this.long(this.directory(value as Directory).offset) };
    }
    const numbers = Array.isArray(value) ? (value as number[]) : [value];
    return {
      count: numbers.length,
      bytes: Buffer.concat(numbers.map((n) => (type === 'short' ? this.short(n) : this.long(n)))),
    };
  }
}

/** Sensor data: what makes a TIFF a RAW file. */
const SENSOR: Directory = { 0x0103: ['short', 34_713], 0x0106: ['short', 32_803] };

const thumbnail = (jpeg: Buffer): Directory => ({ 0x0201: ['jpeg', jpeg], 0x0202: ['long', jpeg.length] });
const strip = (jpeg: Buffer, compression: number): Directory => ({
  0x0103: ['short', compression],
  0x0111: ['jpeg', jpeg],
  0x0117: ['long', jpeg.length],
});

export interface Previews {
  /** The largest; the small one is in the file too. */
  readonly large: Buffer;
  readonly small: Buffer;
  /** Exif orientation that the file names. */
  readonly orientation?: number;
}

const COPYRIGHT = 'Jane Doe';

const main = (make: string, orientation: number): Directory => ({
  0x010f: ['ascii', make],
  0x0112: ['short', orientation],
  0x8298: ['ascii', COPYRIGHT],
});

/** By extension: the way in which each maker keeps its JPEGs. */
export const RAW_FILES: Readonly<Record<string, (previews: Previews) => Buffer>> = {
  dng: ({ large, small, orientation = 1 }) =>
    tiffFile([
      {
        ...main('LEICA', orientation),
        ...strip(small, 7),
        0x014a: ['ifd', strip(large, 7)],
        0xc612: ['byte', Buffer.from([1, 4, 0, 0])],
      },
    ]),
  cr2: ({ large, small, orientation = 1 }) =>
    tiffFile([{ ...main('Canon', orientation), ...strip(large, 6) }, thumbnail(small)], {
      before: Buffer.from('CR\x02\0\0\0\0\0', 'latin1'),
    }),
  cr3: cr3File,
  nef: ({ large, small, orientation = 1 }) =>
    tiffFile(
      [
        { ...main('NIKON CORPORATION', orientation), 0x014a: ['ifd', { ...SENSOR, ...thumbnail(large) }] },
        thumbnail(small),
      ],
      {
        order: 'MM',
      },
    ),
  arw: ({ large, small, orientation = 1 }) =>
    tiffFile([
      { ...main('SONY', orientation), ...thumbnail(large), 0x014a: ['ifd', { ...SENSOR, 0x0103: ['short', 32_767] }] },
      thumbnail(small),
    ]),
  orf: ({ large, small, orientation = 1 }) =>
    tiffFile(
      [
        {
          ...main('OM Digital Solutions', orientation),
          0x8769: ['ifd', { 0x927c: ['undefined', olympusNote(large)] }],
        },
        thumbnail(small),
      ],
      {
        magic: 0x4f52,
      },
    ),
  rw2: ({ large, orientation = 1 }) =>
    tiffFile([{ ...main('Panasonic', orientation), 0x002e: ['undefined', large] }], { magic: 0x55 }),
  raf: rafFile,
  pef: ({ large, small, orientation = 1 }) =>
    tiffFile([{ ...main('PENTAX', orientation), ...SENSOR }, thumbnail(small), thumbnail(large)], { order: 'MM' }),
  srw: ({ large, small, orientation = 1 }) =>
    tiffFile([
      { ...main('SAMSUNG', orientation), 0x014a: ['ifd', { ...SENSOR, ...thumbnail(large) }] },
      thumbnail(small),
    ]),
};

/** Offsets are counted from the note's own start. */
function olympusNote(jpeg: Buffer): Buffer {
  const head = Buffer.from('OLYMPUS\0II\x03\0', 'latin1');
  const settings = head.length + 2 + 12 + 4;
  const preview = settings + 2 + 24 + 4;
  const entry = (tag: number, type: number, value: number): Buffer => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16LE(tag, 0);
    bytes.writeUInt16LE(type, 2);
    bytes.writeUInt32LE(1, 4);
    bytes.writeUInt32LE(value, 8);
    return bytes;
  };
  return Buffer.concat([
    head,
    ...[Buffer.from([1, 0]), entry(0x2020, 13, settings), Buffer.alloc(4)],
    ...[Buffer.from([2, 0]), entry(0x0101, 4, preview), entry(0x0102, 4, jpeg.length), Buffer.alloc(4)],
    jpeg,
  ]);
}

/** A Pentax whose preview only its own note names. */
export function pentaxWithNote({ large, small }: Previews): Buffer {
  const file = (at: number): Buffer => {
    const note = Buffer.alloc(6 + 2 + 24);
    note.write('AOC\0MM', 0, 'latin1');
    note.writeUInt16BE(2, 6);
    [large.length, at].forEach((value, i) => {
      const entry = 8 + i * 12;
      note.writeUInt16BE(3 + i, entry);
      note.writeUInt16BE(4, entry + 2);
      note.writeUInt32BE(1, entry + 4);
      note.writeUInt32BE(value, entry + 8);
    });
    const exif: Directory = { 0x927c: ['undefined', note] };
    return tiffFile([{ ...main('RICOH', 1), ...SENSOR, 0x8769: ['ifd', exif] }, thumbnail(small)], { order: 'MM' });
  };
  return Buffer.concat([file(file(0).length), large]);
}

function rafFile({ large }: Previews): Buffer {
  const head = Buffer.alloc(160);
  head.write('FUJIFILMCCD-RAW 0201FF129502X-T2', 'latin1');
  head.writeUInt32BE(head.length, 84);
  head.writeUInt32BE(large.length, 88);
  return Buffer.concat([head, large]);
}

const box = (type: string, ...parts: readonly Buffer[]): Buffer => {
  const data = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + data.length, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, data]);
};

function cr3File({ large, small, orientation = 1 }: Previews): Buffer {
  const numbers = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((value, i) => bytes.writeUInt32BE(value, i * 4));
    return bytes;
  };
  const uuid = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex');
  const file = (at: number): Buffer => {
    const tables = [box('stsz', numbers(0, large.length, 1)), box('co64', numbers(0, 1, 0, at))];
    return Buffer.concat([
      box('ftyp', Buffer.from('crx \0\0\0\x01crx isom', 'latin1')),
      box(
        'moov',
        box(
          'uuid',
          uuid('85c0b687-820f-11e0-8111-f4ce462b6a48'),
          box('CMT1', tiffFile([main('Canon', orientation)])),
          box('THMB', Buffer.alloc(16), small),
        ),
        box('trak', box('mdia', box('minf', box('stbl', ...tables)))),
      ),
      box('uuid', uuid('eaf42b5e-1c98-4b88-b9fb-b7dc406e4d16'), Buffer.alloc(8), box('PRVW', Buffer.alloc(16), small)),
    ]);
  };
  // Offsets count from the start of the file; eight bytes are the head of the box that holds the picture.
  return Buffer.concat([file(file(0).length + 8), box('mdat', large)]);
}
