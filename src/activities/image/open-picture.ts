/** Brings a picture of any format that we read to a file that sharp reads, admitted by its header. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { MediaError } from '../../contracts/errors.js';
import {
  APNG,
  AVIF,
  EXR,
  HEIC,
  J2C,
  JP2,
  JXL,
  PDF,
  TIFF,
  formatOf,
  wordFor,
  type ImageFormat,
} from '../../media/image/formats.js';
import { HEADER_BYTES, jp2Halvings, readSize } from '../../media/image/headers.js';
import { largestIcon } from '../../media/image/icon.js';
import { admit, admitWhole, halvingsFor } from '../../media/image/limits.js';
import type { SlotOptions } from '../../tools/tools.js';
import { readHead } from '../untrusted-file.js';
import { admitSize, asIs, noHeader, openByMagick } from './open/decoded.js';
import type { OpenedPicture, PictureDecoders } from './open/decoders.js';
import { openApng } from './open/open-apng.js';
import { openExr, openJxl } from './open/open-by-ffmpeg.js';
import { openHeif } from './open/open-heif.js';
import { openPdf } from './open/open-pdf.js';
import { openRaw } from './open/open-raw.js';

/** Which child of a slot opens it. @param mime as sniffed from the bytes */
export const opensAs = (mime: string): NonNullable<SlotOptions['opens']> => (mime === 'image/jpeg' ? 'jpeg' : 'any');

export type { OpenedPicture, PictureDecoders, PictureLimits } from './open/decoders.js';

/**
 * @param source file name in the slot's folder
 * @param mime as sniffed from the bytes
 * @throws MediaError UNSUPPORTED_FORMAT, DAMAGED_FILE, TRUNCATED_FILE, ENCRYPTED, LIMIT_*, DECODER_*; nothing has been
 *   decoded when it is a limit
 */
export async function openPicture(decoders: PictureDecoders, source: string, mime: string): Promise<OpenedPicture> {
  const format = formatOf(mime);
  if (!format) throw new MediaError('UNSUPPORTED_FORMAT', `It is ${wordFor(mime)}.`);
  if (format === HEIC || format === AVIF) return openHeif(decoders, source, mime);
  if (format === PDF) return openPdf(decoders, source);
  if (format === JP2 || format === J2C) return openJpeg2000(decoders, format, source);
  if (format === APNG) return (await openApng(decoders, source)) ?? asIs(decoders, formatOf('image/png')!, source);
  if (format === TIFF) return (await openRaw(decoders, source)) ?? asIs(decoders, format, source);
  if (format.reader === 'sharp') return openBySharp(decoders, format, source);
  if (format.reader === 'preview') {
    const opened = await openRaw(decoders, source);
    if (!opened) throw noHeader(format);
    return opened;
  }
  if (format.name === 'ico') return openIcon(decoders, format, source);
  if (format === EXR) return openExr(decoders, source);
  const head = await readHead(join(decoders.slot.dir, source), HEADER_BYTES);
  admitSize(decoders, format, readSize(format.name, head));
  if (format === JXL) return openJxl(decoders, source);
  return openByMagick(decoders, format, source);
}

/** libvips holds the whole canvas of an animated WebP before it says how large it is: that is read here first. */
async function openBySharp(decoders: PictureDecoders, format: ImageFormat, source: string): Promise<OpenedPicture> {
  const { slot, limits } = decoders;
  const canvas = readSize(format.name, await readHead(join(slot.dir, source), HEADER_BYTES));
  if (canvas) admit({ ...canvas, format: format.name, pages: 1 }, limits);
  return asIs(decoders, format, source);
}

/** Too large for memory, it is decoded at half or a quarter of its size: that is what its wavelets are made for. */
async function openJpeg2000(decoders: PictureDecoders, format: ImageFormat, source: string): Promise<OpenedPicture> {
  const { slot, limits } = decoders;
  const head = await readHead(join(slot.dir, source), HEADER_BYTES);
  const size = readSize(format.name, head);
  if (!size) throw noHeader(format);
  admit({ ...size, format: format.name, pages: 1 }, limits);
  const halvings = halvingsFor(size, format, limits.imageMemoryMiB);
  // ImageMagick 6 asks OpenJPEG twice: both sides become a quarter instead of a half.
  if (2 * halvings > jp2Halvings(head)) admitWhole(size, format, limits.imageMemoryMiB);
  return openByMagick(decoders, format, source, halvings);
}

async function openIcon(decoders: PictureDecoders, format: ImageFormat, source: string): Promise<OpenedPicture> {
  const { slot } = decoders;
  const icon = largestIcon(await readFile(join(slot.dir, source)));
  admitSize(decoders, format, icon);
  const file = `largest.${icon!.type}`;
  await writeFile(join(slot.dir, file), icon!.bytes);
  if (icon!.type === 'ico') return openByMagick(decoders, format, file);
  return asIs(decoders, format, file);
}
