/** Brings a picture of any format that we read to a file that sharp reads, admitted by its header. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { MediaError } from '../../contracts/errors.js';
import { AVIF, HEIC, ffmpegArguments, formatOf, magickArguments, type ImageFormat } from '../../media/image/formats.js';
import { HEADER_BYTES, readSize } from '../../media/image/headers.js';
import { largestIcon } from '../../media/image/icon.js';
import { admit, type ImageLimits } from '../../media/image/limits.js';
import type { PictureFacts } from '../../media/image/plan.js';
import { judge } from '../../tools/failures.js';
import type { ImageSlot, ToolRun, Tools } from '../../tools/tools.js';
import { readHead } from '../untrusted-file.js';

export interface OpenedPicture {
  /** In the slot's folder; sharp reads it. */
  readonly file: string;
  readonly facts: PictureFacts;
  /** Who decoded the source. */
  readonly reader: ImageFormat['reader'];
}

export interface PictureLimits extends ImageLimits {
  /** Wall time of one decoder. */
  readonly imageSeconds: number;
  readonly imageMemoryMiB: number;
}

export interface PictureDecoders {
  readonly tools: Pick<Tools, 'magick' | 'ffmpeg'>;
  readonly slot: ImageSlot;
  readonly limits: PictureLimits;
  readonly signal?: AbortSignal | undefined;
}

/** What another decoder made of the source. */
const DECODED = 'decoded.png';

/** ImageMagick keeps 8 bytes a pixel where memory does not do, and as much again while it turns the picture. MiB. */
const fileMiB = (limits: ImageLimits): number => Math.ceil((limits.maxMegapixels * 16e6) / 1024 ** 2);

/**
 * @param source file name in the slot's folder
 * @param mime as sniffed from the bytes
 * @throws MediaError UNSUPPORTED_FORMAT, DAMAGED_FILE, LIMIT_*, DECODER_*; nothing has been decoded when it is a limit
 */
export async function openPicture(decoders: PictureDecoders, source: string, mime: string): Promise<OpenedPicture> {
  const { slot, limits } = decoders;
  const format = formatOf(mime);
  if (!format) throw new MediaError('UNSUPPORTED_FORMAT', `It is ${mime.replace('image/', '')}.`);

  if (format.reader === 'sharp' || format === HEIC) {
    const header = await slot.inspect(source);
    admit(header, limits);
    const found = format === HEIC && header.format === AVIF.name ? AVIF : format;
    if (found.reader === 'sharp') return { file: source, facts: header, reader: found.reader };
    await decode(decoders, found, source);
  } else if (format.name === 'ico') {
    await takeIcon(decoders, format, source);
  } else {
    admitSize(readSize(format.name, await readHead(join(slot.dir, source), HEADER_BYTES)), format, limits);
    await decode(decoders, format, source);
  }

  const header = await slot.inspect(DECODED);
  admit(header, limits);
  return { file: DECODED, facts: { ...header, format: format.name }, reader: format.reader };
}

async function takeIcon(decoders: PictureDecoders, format: ImageFormat, source: string): Promise<void> {
  const { dir } = decoders.slot;
  const icon = largestIcon(await readFile(join(dir, source)));
  admitSize(icon, format, decoders.limits);
  if (icon?.type === 'png') return writeFile(join(dir, DECODED), icon.bytes);
  await writeFile(join(dir, 'icon'), icon!.bytes);
  await decode(decoders, format, 'icon');
}

function admitSize(
  size: { readonly width: number; readonly height: number } | undefined,
  { name }: ImageFormat,
  limits: ImageLimits,
): void {
  if (!size) throw new MediaError('DAMAGED_FILE', `It has no readable ${name} header.`);
  admit({ ...size, format: name, pages: 1 }, limits);
}

async function decode(
  { tools, slot, limits, signal }: PictureDecoders,
  format: ImageFormat,
  source: string,
): Promise<void> {
  const run = (args: readonly string[]): ToolRun => ({
    args,
    scratch: slot.dir,
    limits: {
      memoryMiB: limits.imageMemoryMiB,
      cpuSeconds: limits.imageSeconds * 2,
      fileMiB: fileMiB(limits),
      wallSeconds: limits.imageSeconds,
    },
    signal,
  });
  try {
    if (format.reader === 'imagemagick') await tools.magick(run(magickArguments(format, source, DECODED)));
    else await tools.ffmpeg({ ...run(ffmpegArguments(format, source, DECODED)), stallSeconds: limits.imageSeconds });
  } catch (error) {
    const judged = judge(error);
    // ImageMagick says "no images defined" after whatever kept it from reading one.
    if (MediaError.is(judged) && judged.code === 'NO_MEDIA') {
      throw new MediaError('DAMAGED_FILE', undefined, { cause: judged.cause });
    }
    throw judged;
  }
}
