/** Camera RAW: what is shown is the largest JPEG that the camera has put beside its sensor data. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { MediaError } from '../../../contracts/errors.js';
import { copyrightLine } from '../../../media/image/copyright.js';
import { admit } from '../../../media/image/limits.js';
import type { Piece } from '../../../media/image/raw/bytes.js';
import { orientationSegment } from '../../../media/image/raw/jpeg.js';
import { readRaw } from '../../../media/image/raw/raw.js';
import { withBytes } from '../../untrusted-file.js';
import type { OpenedPicture, PictureDecoders } from './decoders.js';

const PREVIEW = 'preview.jpg';
/** SOI; the segment that says which way is up comes after it. */
const JPEG_START = 2;
const COPY_BYTES = 1024 ** 2;

/** @returns undefined when it is no RAW file */
export async function openRaw(decoders: PictureDecoders, source: string): Promise<OpenedPicture | undefined> {
  const { slot, limits } = decoders;
  const path = join(slot.dir, source);
  const raw = await withBytes(path, readRaw);
  if (!raw) return undefined;
  const { name, preview } = raw;
  if (!preview) {
    if (raw.isCutOff) throw new MediaError('TRUNCATED_FILE', `Its ${name} picture is not all there.`);
    throw new MediaError('UNSUPPORTED_FORMAT', `It is ${name} without a picture that can be shown.`);
  }
  admit({ ...preview, format: name, pages: 1 }, limits);
  await copyPreview(path, preview, preview.orientation === undefined ? raw.orientation : 1, join(slot.dir, PREVIEW));
  const header = await slot.inspect(PREVIEW);
  admit(header, limits);
  const copyright = header.copyright ?? copyrightLine(raw.copyright);
  return { file: PREVIEW, facts: { ...header, format: name, pages: 1, copyright }, reader: 'preview' };
}

async function copyPreview(
  path: string,
  { offset, length }: Piece,
  orientation: number,
  target: string,
): Promise<void> {
  const from = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const to = await open(target, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    try {
      await copy(from, to, { offset, length: JPEG_START });
      if (orientation > 1) await to.appendFile(orientationSegment(orientation));
      await copy(from, to, { offset: offset + JPEG_START, length: length - JPEG_START });
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

async function copy(from: FileHandle, to: FileHandle, { offset, length }: Piece): Promise<void> {
  const buffer = Buffer.alloc(Math.min(length, COPY_BYTES));
  for (let at = 0; at < length;) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, length - at), offset + at);
    if (bytesRead === 0) throw new MediaError('TRUNCATED_FILE');
    await to.appendFile(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}
