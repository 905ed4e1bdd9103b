/** Camera RAW: the largest picture that the camera itself has made and put beside its sensor data. */
import { holds, from, type Piece, type ReadAt } from './bytes.js';
import { readCr3 } from './cr3.js';
import { readJpegHead, type JpegHead } from './jpeg.js';
import { makerPreviews } from './makers.js';
import { TAG, Tiff, type Directory } from './tiff.js';

export interface RawFile {
  /** `dng`, `cr2`, `cr3`, `nef`, `arw`, `orf`, `rw2`, `raf`, `pef`, `srw`, or `raw` of another maker. */
  readonly name: string;
  /** Exif orientation of the file, 1-8, for a preview that names none. */
  readonly orientation: number;
  /** As the camera has it; for whoever shows it to clean. */
  readonly copyright: string;
  /** It names a picture that the file ends before. */
  readonly isCutOff: boolean;
  /** A whole JPEG; undefined when there is none that viewers can show. */
  readonly preview: (Piece & JpegHead) | undefined;
}

/** Sensor data: `Color Filter Array` and `LinearRaw` of the DNG specification. */
const SENSOR: ReadonlySet<number> = new Set([32_803, 34_892]);
/** JPEG as TIFF 6.0 has it, and as its technical note 2 has it. */
const JPEG: ReadonlySet<number> = new Set([6, 7]);
/** Compressions of sensor data: Nikon, Pentax, Sony, Samsung (two), Nikon's lossy. */
const MAKERS_OWN: ReadonlySet<number> = new Set([34_713, 65_535, 32_767, 32_770, 32_772, 34_892]);

const MAKERS: readonly (readonly [RegExp, string])[] = [
  [/^NIKON/i, 'nef'],
  [/^SONY/i, 'arw'],
  [/^(PENTAX|RICOH)/i, 'pef'],
  [/^SAMSUNG/i, 'srw'],
];

/** Where a Fujifilm file names its JPEG. */
const RAF_DIRECTORY = 84;

/**
 * @param fileBytes length of the file
 * @returns undefined when it is no RAW file: an ordinary TIFF, for one
 */
export async function readRaw(read: ReadAt, fileBytes: number): Promise<RawFile | undefined> {
  const head = await read(0, RAF_DIRECTORY + 8);
  const mark = head.toString('latin1');
  if (mark.startsWith('FUJIFILMCCD-RAW')) {
    const inside = head.length === RAF_DIRECTORY + 8;
    const piece = inside && { offset: head.readUInt32BE(RAF_DIRECTORY), length: head.readUInt32BE(RAF_DIRECTORY + 4) };
    return { name: 'raf', orientation: 1, copyright: '', ...(await largest(read, piece ? [piece] : [])) };
  }
  if (mark.startsWith('ftypcrx ', 4)) {
    const { tiff, previews } = await readCr3(read, fileBytes);
    return { name: 'cr3', ...(await said(tiff, await tiff?.directories())), ...(await largest(read, previews)) };
  }
  const tiff = await Tiff.open(read);
  const directories = (await tiff?.directories()) ?? [];
  const name = tiff && (await nameOf(tiff, directories, mark));
  if (!tiff || name === undefined) return undefined;
  const pieces = [...(await tiffPreviews(tiff, directories)), ...(await makerPreviews(tiff, directories))];
  return { name, ...(await said(tiff, directories)), ...(await largest(read, pieces)) };
}

async function said(tiff: Tiff | undefined, directories: readonly Directory[] = []) {
  const [first] = directories;
  if (!tiff || !first) return { orientation: 1, copyright: '' };
  const orientation = (await tiff.orientation(first)) ?? 1;
  return { orientation, copyright: await tiff.text(first.get(TAG.copyright), 1000) };
}

/** A TIFF is what holds no sensor data, whichever camera it names: they write ordinary ones too. */
async function nameOf(tiff: Tiff, directories: readonly Directory[], mark: string): Promise<string | undefined> {
  if (mark.startsWith('CR\x02', 8)) return 'cr2';
  if (/^(II(RO|RS)|MMOR)/.test(mark)) return 'orf';
  if (mark.startsWith('IIU\0')) return 'rw2';
  if (directories.some((directory) => directory.has(TAG.dngVersion))) return 'dng';
  for (const directory of directories) {
    const colours = await tiff.number(directory.get(TAG.photometric));
    const compression = await tiff.number(directory.get(TAG.compression));
    if (!SENSOR.has(colours ?? 0) && !MAKERS_OWN.has(compression ?? 0)) continue;
    const make = await tiff.text(directories[0]?.get(TAG.make), 64);
    return MAKERS.find(([pattern]) => pattern.test(make))?.[1] ?? 'raw';
  }
  return undefined;
}

/** By the tags of a thumbnail, or as the one strip of a JPEG-compressed directory. */
async function tiffPreviews(tiff: Tiff, directories: readonly Directory[]): Promise<Piece[]> {
  const found: Piece[] = [];
  const add = async (directory: Directory, offsetTag: number, lengthTag: number): Promise<void> => {
    const [offset, length] = [directory.get(offsetTag), directory.get(lengthTag)];
    if (offset?.count !== 1 || length?.count !== 1) return;
    const [at, bytes] = [await tiff.number(offset), await tiff.number(length)];
    if (at && bytes) found.push({ offset: at, length: bytes });
  };
  for (const directory of directories) {
    await add(directory, TAG.jpegOffset, TAG.jpegLength);
    const compression = await tiff.number(directory.get(TAG.compression));
    if (JPEG.has(compression ?? 0)) await add(directory, TAG.stripOffsets, TAG.stripByteCounts);
  }
  return found;
}

/** The one with the most pixels of those that are whole. */
async function largest(read: ReadAt, pieces: readonly Piece[]): Promise<Pick<RawFile, 'preview' | 'isCutOff'>> {
  let preview: RawFile['preview'];
  let isCutOff = false;
  for (const piece of pieces) {
    const isWhole = await holds(read, piece);
    isCutOff ||= !isWhole;
    const head = isWhole ? await readJpegHead(from(read, piece.offset)) : undefined;
    if (head && (!preview || head.width * head.height > preview.width * preview.height))
      preview = { ...piece, ...head };
  }
  return { preview, isCutOff };
}
