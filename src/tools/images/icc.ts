/** How far the colours of a profile reach. */

/** xy chromaticities under the profile's own white, D50. */
type Point = readonly [x: number, y: number];

/**
 * sRGB's triangle, adapted to D50. IEC 61966-2-1 with the Bradford matrix, as every ICC profile of it has it.
 */
const SRGB: readonly Point[] = [
  [0.648, 0.331],
  [0.321, 0.598],
  [0.156, 0.066],
];

/** Profiles of sRGB itself differ a little; those of other spaces are at least a quarter larger. */
const TOLERANCE = 1.05;
const HEADER = 128;

/**
 * By the area of the triangle of its primaries: ICC.1:2022, 9.2 (`rXYZ`, `gXYZ`, `bXYZ`).
 *
 * @returns false for profiles of grey and CMYK, without primaries, or broken ones
 */
export function isWiderThanSrgb(profile: Buffer): boolean {
  if (profile.length < HEADER + 4 || profile.toString('latin1', 16, 20) !== 'RGB ') return false;
  const points = ['rXYZ', 'gXYZ', 'bXYZ'].map((tag) => chromaticity(profile, tag));
  return points.every((point) => point !== undefined) && area(points) > area(SRGB) * TOLERANCE;
}

function chromaticity(profile: Buffer, wanted: string): Point | undefined {
  const tags = Math.min(profile.readUInt32BE(HEADER), 100);
  for (let i = 0; i < tags; i++) {
    const at = HEADER + 4 + i * 12;
    if (at + 12 > profile.length) return undefined;
    if (profile.toString('latin1', at, at + 4) !== wanted) continue;
    const data = profile.readUInt32BE(at + 4) + 8;
    if (data + 12 > profile.length) return undefined;
    // Only relations matter: s15Fixed16 stays a whole number.
    const [x, y, z] = [0, 4, 8].map((offset) => profile.readInt32BE(data + offset)) as [number, number, number];
    const sum = x + y + z;
    return sum > 0 ? [x / sum, y / sum] : undefined;
  }
  return undefined;
}

function area(points: readonly Point[]): number {
  const [[ax, ay], [bx, by], [cx, cy]] = points as readonly [Point, Point, Point];
  return Math.abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2;
}
