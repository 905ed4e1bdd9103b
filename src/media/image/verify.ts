/**
 * Looks at a finished picture byte by byte, in the trusted process: its type, size and end, and that it carries no
 * metadata but what was asked for. That its pixels decode was seen in the sandbox that wrote it.
 */
import type { ImageVariant } from '../../contracts/image.js';
import { avifContents } from './contents/avif.js';
import type { Contents } from './contents/contents.js';
import { foreignTag } from './contents/exif.js';
import { jpegContents } from './contents/jpeg.js';
import { pngContents } from './contents/png.js';
import { webpContents } from './contents/webp.js';
import { isPastEnd } from './headers.js';

/** Each returns what is wrong, in words, for a file that is not whole or carries what is never asked for. */
const READERS: Readonly<Record<ImageVariant['format'], (bytes: Buffer) => Contents | string>> = {
  jpeg: jpegContents,
  png: pngContents,
  webp: webpContents,
  avif: avifContents,
};

type Expected = Pick<ImageVariant, 'format' | 'width' | 'height'> &
  Partial<Pick<ImageVariant, 'animated' | 'colours' | 'copyright'>>;

/** @returns what is wrong, in words, or undefined. */
export function findFault(bytes: Buffer, expected: Expected): string | undefined {
  try {
    const found = READERS[expected.format](bytes);
    return typeof found === 'string' ? found : mismatch(found, expected);
  } catch (error) {
    if (isPastEnd(error)) return 'it is cut off';
    throw error;
  }
}

function mismatch({ width, height, hasProfile, exif, isAnimated }: Contents, expected: Expected): string | undefined {
  if (width !== expected.width || height !== expected.height) {
    return `${width}x${height} instead of ${expected.width}x${expected.height}`;
  }
  if (isAnimated && !expected.animated) return 'it moves';
  if (hasProfile && !expected.colours) return 'it carries metadata (a colour profile)';
  if (!hasProfile && expected.colours) return 'its colour profile is missing';
  if (exif && expected.copyright === undefined) return 'it carries metadata (Exif)';
  if (!exif && expected.copyright !== undefined) return 'its copyright is missing';
  const tag = exif && foreignTag(exif);
  return tag === undefined ? undefined : `it carries metadata (Exif tag ${tag.toString(16)})`;
}
