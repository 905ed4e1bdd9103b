/** The point of a picture that its uploader wants to be seen. */
import type { FocalPoint } from '../../contracts/image.js';

/** Of the uploader's metadata: `focal-point: 0.3,0.6`, shares of width and height from the top left. */
export const FOCAL_POINT = 'focal-point';

/** @returns undefined where none is named, `invalid` for what is not a point of the picture */
export function focalPointOf(
  metadata: Readonly<Record<string, string>> | undefined,
): FocalPoint | 'invalid' | undefined {
  const text = metadata?.[FOCAL_POINT];
  if (text === undefined) return undefined;
  const [x, y, ...more] = text.split(',').map(share);
  return x === undefined || y === undefined || more.length > 0 ? 'invalid' : { x, y };
}

function share(text: string): number | undefined {
  const value = /^\s*(0|1|0?\.\d{1,10}|1\.0{1,10})\s*$/.test(text) ? Number(text) : NaN;
  return value >= 0 && value <= 1 ? value : undefined;
}
