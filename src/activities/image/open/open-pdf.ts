/** The first page of a PDF, drawn by poppler. */
import { MediaError } from '../../../contracts/errors.js';
import { PDF } from '../../../media/image/formats.js';
import { admit } from '../../../media/image/limits.js';
import { drawArguments, drawnSize, infoArguments, pageOf } from '../../../media/image/pdf.js';
import { decoding, toolRun, type OpenedPicture, type PictureDecoders } from './decoders.js';

const STEM = 'page';
const PAGE = `${STEM}.tif`;

export async function openPdf(decoders: PictureDecoders, source: string): Promise<OpenedPicture> {
  const { slot, tools, limits } = decoders;
  await decoding(decoders, PDF.name, async () => {
    const { stdout } = await tools.poppler('pdfinfo', toolRun(decoders, infoArguments(source)));
    const size = drawnSize(pageOf(stdout), limits);
    await tools.poppler('pdftoppm', toolRun(decoders, drawArguments(source, STEM, size)));
  });
  const header = await slot.inspect(PAGE).catch((error: unknown) => {
    throw MediaError.is(error) && error.code === 'DAMAGED_FILE'
      ? new MediaError('DAMAGED_FILE', 'Its first page can not be drawn.', { cause: error })
      : error;
  });
  admit(header, limits);
  return { file: PAGE, facts: { ...header, format: PDF.name, pages: 1 }, reader: 'poppler' };
}
