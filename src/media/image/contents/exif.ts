/** What an Exif block holds beside a copyright line. */

/**
 * Tags that say nothing of the source: orientation, density, chroma position and the pointer to the second directory
 * in the first one; versions, components, colour space and pixel size in the second. libexif writes them always.
 */
const FIRST: ReadonlySet<number> = new Set([0x0112, 0x011a, 0x011b, 0x0128, 0x0213, 0x8298, 0x8769]);
const SECOND: ReadonlySet<number> = new Set([0x9000, 0x9101, 0xa000, 0xa001, 0xa002, 0xa003]);
const POINTER = 0x8769;
const ENTRY = 12;

/**
 * @param tiff TIFF 6.0, section 2
 * @returns the first tag that is not one of those or the copyright
 * @throws RangeError when it is cut off
 */
export function foreignTag(tiff: Buffer): number | undefined {
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const word = (at: number): number => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const long = (at: number): number => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const search = (directory: number, allowed: ReadonlySet<number>): number | undefined => {
    const entries = word(directory);
    for (let i = 0; i < entries; i++) {
      const at = directory + 2 + i * ENTRY;
      const tag = word(at);
      if (!allowed.has(tag)) return tag;
      const below = tag === POINTER ? search(long(at + 8), SECOND) : undefined;
      if (below !== undefined) return below;
    }
    // A further directory is a thumbnail: pixels of the source.
    return long(directory + 2 + entries * ENTRY) === 0 ? undefined : 0x0201;
  };
  return search(long(4), FIRST);
}
