/** Pictures that are no video. */
import type { FfprobeStream } from './ffprobe-report.js';

/** Formats of sound: a picture in them is a cover, whatever its disposition says. */
const SOUND_FORMATS = new Set([
  'mp3',
  'flac',
  'wav',
  'w64',
  'aiff',
  'aac',
  'ape',
  'wv',
  'tta',
  'mpc',
  'mpc8',
  'ac3',
  'eac3',
  'dts',
  'amr',
  'au',
  'caf',
]);

const COVER_CODECS = new Set(['mjpeg', 'png', 'bmp', 'gif', 'webp', 'tiff']);

export function isCover(stream: FfprobeStream, container: string): boolean {
  const { attached_pic, timed_thumbnails, still_image } = stream.disposition ?? {};
  if (attached_pic || timed_thumbnails || still_image) return true;
  return COVER_CODECS.has(stream.codec_name ?? '') && SOUND_FORMATS.has(container);
}
