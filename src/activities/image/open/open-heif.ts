/** libheif's container: AV1 is for sharp, HEVC for libheif's own converter where that shows the picture as it is. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { MediaError } from '../../../contracts/errors.js';
import { heifArguments } from '../../../media/image/decode-args.js';
import { AVIF, HEIC } from '../../../media/image/formats.js';
import { admit } from '../../../media/image/limits.js';
import { readJpegHead } from '../../../media/image/raw/jpeg.js';
import type { ImageHeader } from '../../../tools/tools.js';
import { withBytes } from '../../untrusted-file.js';
import { asIs, decoded, openByMagick } from './decoded.js';
import { decoding, toolRun, type OpenedPicture, type PictureDecoders } from './decoders.js';

export async function openHeif(decoders: PictureDecoders, source: string, mime: string): Promise<OpenedPicture> {
  const { tools, limits } = decoders;
  const header = await inspect(decoders, source, mime);
  if (header.format === AVIF.name) return asIs(decoders, AVIF, source);
  admit(header, limits);
  // It writes every picture of a file, and JPEG has no alpha.
  const canBeJpeg = header.pages === 1 && !header.hasAlpha;
  const opened =
    tools.heif && canBeJpeg
      ? await byLibheif(decoders, tools.heif, source)
      : await openByMagick(decoders, HEIC, source);
  return { ...opened, facts: { ...opened.facts, copyright: header.copyright } };
}

async function inspect(decoders: PictureDecoders, source: string, mime: string): Promise<ImageHeader> {
  const name = mime.replace('image/', '').replace('-', ' ');
  try {
    return await decoding(decoders, name, () => decoders.slot.inspect(source));
  } catch (error) {
    // A film without a still picture is none of libheif's, whatever it calls it.
    if (MediaError.is(error) && mime.endsWith('-sequence')) {
      throw new MediaError('UNSUPPORTED_FORMAT', `It is a ${name}.`, { cause: error });
    }
    throw error;
  }
}

/**
 * The orientation that Exif names is the camera's; the pixels are upright already: "Exif orientation shall be ignored",
 * ISO/IEC 23008-12, A.2.1. The converter copies it all the same.
 */
async function byLibheif(
  decoders: PictureDecoders,
  heif: NonNullable<PictureDecoders['tools']['heif']>,
  source: string,
): Promise<OpenedPicture> {
  return decoded(decoders, HEIC, 'libheif', 'decoded.jpg', async (file) => {
    await heif(toolRun(decoders, heifArguments(source, file)));
    await setUpright(join(decoders.slot.dir, file));
  });
}

async function setUpright(path: string): Promise<void> {
  const head = await withBytes(path, readJpegHead);
  if (!head?.orientationAt) return;
  const { offset, upright } = head.orientationAt;
  const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    await file.write(upright, 0, upright.length, offset);
  } finally {
    await file.close();
  }
}
