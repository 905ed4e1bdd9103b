/** libheif's container: AV1 is for sharp, HEVC for libheif's own converter. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { MediaError } from '../../../contracts/errors.js';
import { heifArguments } from '../../../media/image/decode-args.js';
import { AVIF, HEIC } from '../../../media/image/formats.js';
import { admit } from '../../../media/image/limits.js';
import { readJpegHead } from '../../../media/image/raw/jpeg.js';
import type { ImageHeader } from '../../../tools/tools.js';
import { withBytes } from '../../untrusted-file.js';
import { asIs, decoded, openByMagick } from './decoded.js';
import { decoding, toolRun, type OpenedPicture, type PictureDecoders } from './decoders.js';

/** Before the pixels. */
const MAX_CHUNKS = 100;

export async function openHeif(decoders: PictureDecoders, source: string, mime: string): Promise<OpenedPicture> {
  const { tools, limits } = decoders;
  const header = await inspect(decoders, source, mime);
  if (header.format === AVIF.name) return asIs(decoders, AVIF, source);
  admit(header, limits);
  // It writes every picture of a file; which of them is the one to show, ImageMagick knows.
  const opened =
    tools.heif && header.pages === 1
      ? await byLibheif(decoders, tools.heif, source, header.hasAlpha)
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
 * As PNG where there is alpha, which takes five times as long. The orientation that Exif names is the camera's; the
 * pixels are upright already: "Exif orientation shall be ignored", ISO/IEC 23008-12, A.2.1. The converter copies it
 * all the same.
 */
async function byLibheif(
  decoders: PictureDecoders,
  heif: NonNullable<PictureDecoders['tools']['heif']>,
  source: string,
  hasAlpha: boolean,
): Promise<OpenedPicture> {
  return decoded(decoders, HEIC, 'libheif', hasAlpha ? 'decoded.png' : 'decoded.jpg', async (file) => {
    await heif(toolRun(decoders, heifArguments(source, file)));
    await (hasAlpha ? setPngUpright : setJpegUpright)(join(decoders.slot.dir, file));
  });
}

async function setJpegUpright(path: string): Promise<void> {
  const head = await withBytes(path, readJpegHead);
  if (head?.orientationAt) await overwrite(path, head.orientationAt.offset, head.orientationAt.upright);
}

/** Its Exif chunk becomes one that readers pass over. W3C PNG, third edition, 5.3 and 5.4. */
async function setPngUpright(path: string): Promise<void> {
  const found = await withBytes(path, async (read) => {
    for (let at = 8, chunks = 0; chunks < MAX_CHUNKS; chunks++) {
      const head = await read(at, 8);
      const type = head.toString('latin1', 4);
      if (head.length < 8 || type === 'IDAT') return undefined;
      const length = head.readUInt32BE(0);
      if (type === 'eXIf') return { at: at + 4, data: await read(at + 8, length) };
      at += 12 + length;
    }
    return undefined;
  });
  if (!found) return;
  const chunk = Buffer.concat([Buffer.from('skIp'), found.data, Buffer.alloc(4)]);
  chunk.writeUInt32BE(crc32(chunk.subarray(0, -4)), chunk.length - 4);
  await overwrite(path, found.at, chunk);
}

async function overwrite(path: string, offset: number, bytes: Buffer): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    await file.write(bytes, 0, bytes.length, offset);
  } finally {
    await file.close();
  }
}
