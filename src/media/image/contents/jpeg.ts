/** What a finished JPEG file consists of: the segments before its first scan. ITU-T T.81, B.1.1. */
import type { PixelSize } from '../headers.js';
import type { Contents } from './contents.js';

const SOI = 0xffd8;
const SOS = 0xffda;
const EOI = 0xffd9;
const JFIF = 0xffe0;
/** Adobe's segment: 12 bytes that say how colours are coded, needed to decode. */
const APP14 = 0xffee;
const COMMENT = 0xfffe;
const APP1 = 0xffe1;
const EXIF = 'Exif\0\0';
const APP2 = 0xffe2;
/** ICC.1:2022, B.4. */
const PROFILE = 'ICC_PROFILE\0';
/** Start of frame: all of C0-CF but the tables DHT, JPG and DAC. */
const isFrame = (marker: number): boolean =>
  marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);

export function jpegContents(bytes: Buffer): Contents | string {
  if (bytes.readUInt16BE(0) !== SOI || bytes.readUInt16BE(bytes.length - 2) !== EOI) return 'not a whole JPEG file';
  let size: PixelSize | undefined;
  let hasProfile = false;
  let exif: Buffer | undefined;
  for (let at = 2; ;) {
    const marker = bytes.readUInt16BE(at);
    if (marker === SOS) return size ? { ...size, hasProfile, exif } : 'a JPEG file without a frame';
    if (marker < 0xffc0) return 'not a JPEG marker';
    const data = bytes.subarray(at + 4, at + 2 + bytes.readUInt16BE(at + 2));
    const metadata = (marker > JFIF && marker <= 0xffef && marker !== APP14) || marker === COMMENT;
    if (marker === APP1 && startsWith(data, EXIF)) exif = data.subarray(EXIF.length);
    else if (marker === APP2 && startsWith(data, PROFILE)) hasProfile = true;
    else if (metadata) return `it carries metadata (segment ${marker.toString(16)})`;
    if (isFrame(marker)) size = { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
}

const startsWith = (data: Buffer, word: string): boolean => data.toString('latin1', 0, word.length) === word;
