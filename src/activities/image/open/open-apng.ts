/** Animated PNG, of which sharp sees one picture: made into an animated WebP of the same pixels and times. */
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { MediaError } from '../../../contracts/errors.js';
import { readApng, type ApngHeader } from '../../../media/image/apng.js';
import { framesArguments } from '../../../media/image/decode-args.js';
import { APNG } from '../../../media/image/formats.js';
import { isPastEnd } from '../../../media/image/headers.js';
import { admit } from '../../../media/image/limits.js';
import { ANIMATION_HEAD_BYTES, animationHead, frameChunk } from '../../../media/image/webp-frames.js';
import { readRegularFile, withBytes } from '../../untrusted-file.js';
import { ffmpegRun } from './open-by-ffmpeg.js';
import { decoding, type OpenedPicture, type PictureDecoders } from './decoders.js';

const ANIMATION = 'animation-source.webp';
const STEM = 'frame-';

/** @returns undefined when it is a still picture after all */
export async function openApng(decoders: PictureDecoders, source: string): Promise<OpenedPicture | undefined> {
  const { slot, tools, limits } = decoders;
  const header = await withBytes(join(slot.dir, source), readApng);
  if (!header) return undefined;
  admit({ ...header, format: APNG.name, pages: header.frames }, limits);
  if (header.frames < 2) return undefined;
  await decoding(decoders, APNG.name, () =>
    tools.ffmpeg(ffmpegRun(decoders, framesArguments(source, STEM, limits.maxFrames))),
  );
  await assemble(slot.dir, header);
  const made = await slot.inspect(ANIMATION);
  admit(made, limits);
  return { file: ANIMATION, facts: { ...made, format: APNG.name }, reader: 'ffmpeg' };
}

/** One frame at a time: all of them may be far more than the file. */
async function assemble(dir: string, header: ApngHeader): Promise<void> {
  const file = await open(join(dir, ANIMATION), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
  try {
    let end = ANIMATION_HEAD_BYTES;
    for (let i = 0; i < header.frames; i++) {
      const frame = join(dir, `${STEM}${String(i + 1).padStart(4, '0')}.webp`);
      const still = await readRegularFile(frame);
      if (!still) break;
      const chunk = chunkOf(still, header, i);
      await file.write(chunk, 0, chunk.length, end);
      end += chunk.length;
      await rm(frame);
    }
    if (end === ANIMATION_HEAD_BYTES) throw new MediaError('DAMAGED_FILE');
    await file.write(animationHead(header, { loops: header.plays, bytes: end }), 0, ANIMATION_HEAD_BYTES, 0);
  } finally {
    await file.close();
  }
}

function chunkOf(still: Buffer, header: ApngHeader, i: number): Buffer {
  try {
    return frameChunk(still, header, header.delays[i] ?? header.delays.at(-1) ?? 100);
  } catch (error) {
    if (isPastEnd(error)) throw new MediaError('DAMAGED_FILE', undefined, { cause: error });
    throw error;
  }
}
