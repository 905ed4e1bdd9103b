/** Decodes pictures that we made ourselves, to the last byte, in this very process: never what strangers sent. */
import sharp from 'sharp';

export interface DecodedPicture {
  readonly format: string;
  readonly width: number;
  /** Of one frame. */
  readonly height: number;
  readonly frames: number;
}

/** @throws Error where anything is wrong with it */
export async function decodePicture(bytes: Uint8Array): Promise<DecodedPicture> {
  const image = sharp(bytes, { failOn: 'warning', animated: true });
  const { format, compression, width, height, pageHeight, pages = 1 } = await image.metadata();
  await image.raw().toBuffer();
  return { format: compression === 'av1' ? 'avif' : format, width, height: pageHeight ?? height, frames: pages };
}
