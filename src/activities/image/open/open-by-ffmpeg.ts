/** OpenEXR and JPEG XL, decoded by ffmpeg. */
import { join } from 'node:path';

import { exrArguments, jxlArguments, jxlColours, jxlProbeArguments } from '../../../media/image/decode-args.js';
import { exrHeader } from '../../../media/image/exr.js';
import { EXR, JXL } from '../../../media/image/formats.js';
import { HEADER_BYTES } from '../../../media/image/headers.js';
import type { FfmpegRun } from '../../../tools/tools.js';
import { readHead } from '../../untrusted-file.js';
import { admitSize, decoded } from './decoded.js';
import { toolRun, type OpenedPicture, type PictureDecoders } from './decoders.js';

export async function openExr(decoders: PictureDecoders, source: string): Promise<OpenedPicture> {
  const header = exrHeader(await readHead(join(decoders.slot.dir, source), HEADER_BYTES));
  admitSize(decoders, EXR, header);
  return decoded(decoders, EXR, 'ffmpeg', 'decoded.tif', (file) =>
    decoders.tools.ffmpeg(ffmpegRun(decoders, exrArguments(source, file, header!.hasAlpha))),
  );
}

/** It names its colours, or carries a profile: the first of the two ffmpeg tells but does not heed. Admitted already. */
export async function openJxl(decoders: PictureDecoders, source: string): Promise<OpenedPicture> {
  const { tools } = decoders;
  return decoded(decoders, JXL, 'ffmpeg', 'decoded.png', async (file) => {
    const { stdout } = await tools.ffprobe(toolRun(decoders, jxlProbeArguments(source)));
    await tools.ffmpeg(ffmpegRun(decoders, jxlArguments(source, file, jxlColours(stdout))));
  });
}

/** One picture has no progress: what hangs runs into its wall time. */
export function ffmpegRun(decoders: PictureDecoders, args: readonly string[]): FfmpegRun {
  return { ...toolRun(decoders, args), stallSeconds: decoders.limits.imageSeconds * 2 };
}
