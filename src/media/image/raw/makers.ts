/**
 * Previews that TIFF's own tags don't name: where makers of cameras keep them. As ExifTool documents it
 * (https://exiftool.org/TagNames/), for makers have published nothing.
 */
import { from, type Piece } from './bytes.js';
import { TAG, Tiff, type Directory } from './tiff.js';

/** `JpgFromRaw` in the first directory of a Panasonic file. */
const PANASONIC_JPEG = 0x002e;
const OLYMPUS_SETTINGS = 0x2020;
const OLYMPUS_START = 0x0101;
const OLYMPUS_LENGTH = 0x0102;
const PENTAX_LENGTH = 0x0003;
const PENTAX_START = 0x0004;

export async function makerPreviews(tiff: Tiff, directories: readonly Directory[]): Promise<Piece[]> {
  const found: (Piece | undefined)[] = [];
  for (const directory of directories) {
    found.push(Tiff.piece(directory.get(PANASONIC_JPEG)));
    const note = directory.get(TAG.makerNote);
    if (note) found.push(await inNote(tiff, note.offset));
  }
  return found.filter((piece) => piece !== undefined);
}

async function inNote(tiff: Tiff, note: number): Promise<Piece | undefined> {
  const head = (await tiff.read(note, 16)).toString('latin1');
  if (head.startsWith('OLYMPUS\0')) return olympus(tiff, note, 12, head[8] === 'I');
  if (head.startsWith('OM SYSTEM\0')) return olympus(tiff, note, 16, head[12] === 'I');
  if (head.startsWith('AOC\0'))
    return pentax(tiff, note + 6, 0, head[4] === 'M' ? false : head[4] === 'I' || tiff.isLittle);
  if (head.startsWith('PENTAX \0')) return pentax(tiff, 10, note, head[8] === 'I');
  return undefined;
}

/** Everything in it is counted from the note's own start. */
async function olympus(tiff: Tiff, note: number, at: number, isLittle: boolean): Promise<Piece | undefined> {
  const inside = tiff.within(from(tiff.read, note), isLittle);
  const entry = (await inside.directory(at))?.directory.get(OLYMPUS_SETTINGS);
  const settings = entry && ((await inside.number(entry)) ?? entry.offset);
  if (settings === undefined) return undefined;
  return preview(inside, settings, OLYMPUS_START, OLYMPUS_LENGTH, note);
}

function pentax(tiff: Tiff, at: number, base: number, isLittle: boolean): Promise<Piece | undefined> {
  return preview(tiff.within(from(tiff.read, base), isLittle), at, PENTAX_START, PENTAX_LENGTH, base);
}

async function preview(
  inside: Tiff,
  directory: number,
  start: number,
  length: number,
  base: number,
): Promise<Piece | undefined> {
  const entries = (await inside.directory(directory))?.directory;
  const offset = await inside.number(entries?.get(start));
  const bytes = await inside.number(entries?.get(length));
  return offset && bytes ? { offset: base + offset, length: bytes } : undefined;
}
