/** Pictures that sharp reads as they are, and those that another program makes into one. */
import { MediaError } from '../../../contracts/errors.js';
import type { ImageReader } from '../../../contracts/image.js';
import { magickArguments } from '../../../media/image/decode-args.js';
import type { ImageFormat } from '../../../media/image/formats.js';
import type { PixelSize } from '../../../media/image/headers.js';
import { admit, admitWhole, framesOf } from '../../../media/image/limits.js';
import { decoding, toolRun, type OpenedPicture, type PictureDecoders } from './decoders.js';

/** What sharp reads itself. */
export async function asIs(decoders: PictureDecoders, format: ImageFormat, file: string): Promise<OpenedPicture> {
  const { slot, limits } = decoders;
  const header = await decoding(decoders, format.name, () => slot.inspect(file)).catch((error: unknown) => {
    // It does read them: what it does not recognise is their remains.
    if (
      MediaError.is(error) &&
      error.code === 'UNSUPPORTED_FORMAT' &&
      format.reader === 'sharp' &&
      format.name !== 'avif'
    )
      throw new MediaError('DAMAGED_FILE', `It has no readable ${format.name} header.`, { cause: error });
    throw error;
  });
  admit(header, limits);
  admitWhole(header, format, limits.imageMemoryMiB);
  return { file, facts: { ...header, format: format.name, pages: framesOf(header) }, reader: 'sharp' };
}

/** @param run makes a file that sharp reads */
export async function decoded(
  decoders: PictureDecoders,
  { name }: ImageFormat,
  reader: ImageReader,
  file: string,
  run: (file: string) => Promise<unknown>,
): Promise<OpenedPicture> {
  await decoding(decoders, name, () => run(file));
  const header = await decoders.slot.inspect(file);
  admit(header, decoders.limits);
  return { file, facts: { ...header, format: name, pages: 1 }, reader };
}

/** @param halvings JPEG 2000 only */
export function openByMagick(
  decoders: PictureDecoders,
  format: ImageFormat,
  source: string,
  halvings = 0,
): Promise<OpenedPicture> {
  return decoded(decoders, format, 'imagemagick', 'decoded.tif', (file) =>
    decoders.tools.magick(toolRun(decoders, magickArguments(format, source, file, halvings))),
  );
}

/** @throws MediaError DAMAGED_FILE without a size, LIMIT_* */
export function admitSize({ limits }: PictureDecoders, format: ImageFormat, size: PixelSize | undefined): void {
  if (!size) throw noHeader(format);
  const { width, height } = size;
  admit({ width, height, format: format.name, pages: 1 }, limits);
  admitWhole(size, format, limits.imageMemoryMiB);
}

export const noHeader = ({ name }: ImageFormat): MediaError =>
  new MediaError('DAMAGED_FILE', `It has no readable ${name} header.`);
