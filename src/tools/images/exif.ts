/** The one field of EXIF that is ever kept. */
import { MAX_COPYRIGHT } from './protocol.js';

const COPYRIGHT = 0x8298;
const ASCII = 2;
/** Sharp hands the block over with this in front, as JPEG carries it. */
const PREFIX = Buffer.from('Exif\0\0');
const ENTRY = 12;

/**
 * Copyright of the first directory: TIFF 6.0, section 2. Photographer and editor are separated by a NUL there, which
 * becomes a comma. UTF-8, as everyone writes it, though the standard says ASCII.
 *
 * @returns one printable line of at most 200 characters; undefined where there is none, or the block is broken
 */
export function copyrightOf(exif: Buffer): string | undefined {
  const tiff = exif.subarray(0, PREFIX.length).equals(PREFIX) ? exif.subarray(PREFIX.length) : exif;
  if (tiff.length < 8) return undefined;
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const word = (at: number): number => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const long = (at: number): number => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const directory = long(4);
  if (directory + 2 > tiff.length) return undefined;
  const entries = word(directory);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + i * ENTRY;
    if (at + ENTRY > tiff.length) return undefined;
    if (word(at) !== COPYRIGHT || word(at + 2) !== ASCII) continue;
    const length = long(at + 4);
    const start = length <= 4 ? at + 8 : long(at + 8);
    return printable(tiff.subarray(start, start + length).toString('utf8'));
  }
  return undefined;
}

function printable(text: string): string | undefined {
  const parts = text.split('\0').map((part) => part.replaceAll(/[\p{C}\uFFFD]+/gu, ' ').trim());
  const line = parts.filter((part) => part !== '').join(', ');
  return line.slice(0, MAX_COPYRIGHT).trim() || undefined;
}
