/** What an object is, from its first bytes: never the name, never the client's word. */
import { fileTypeFromBuffer } from 'file-type';

import { MediaError } from '../contracts/errors.js';

export interface Sniffed {
  readonly kind: 'image' | 'media';
  /** Media type, where the bytes carry a known signature. */
  readonly mime?: string | undefined;
}

/** Enough for the signatures of containers, and for the first entries of a zip file (office documents). */
export const SNIFF_BYTES = 65_536;

/** Containers of sound and pictures whose media type says neither `video/` nor `audio/`. */
const MEDIA_MIMES = new Set([
  'application/ogg',
  'application/mxf',
  'application/vnd.ms-asf',
  'application/vnd.rn-realmedia',
]);

/**
 * @param head the first `SNIFF_BYTES` of the object, or all of it when it is shorter
 * @throws MediaError OBJECT_EMPTY, or UNSUPPORTED_TYPE naming what it is. Text is always refused:
 *   playlists and concat scripts are text, and would make a demuxer open other files.
 */
export async function sniff(head: Uint8Array): Promise<Sniffed> {
  if (head.length === 0) throw new MediaError('OBJECT_EMPTY');
  const own = signatureOf(head);
  if (own !== undefined) return { kind: 'image', mime: own };
  const text = asText(head);
  if (text !== undefined) {
    if (/<svg[\s>]/i.test(text)) return { kind: 'image', mime: 'image/svg+xml' };
    throw new MediaError('UNSUPPORTED_TYPE', `It is ${nameOfText(text)}.`);
  }
  const type = await fileTypeFromBuffer(head);
  // Raw streams and old containers have no signature: the demuxers on our list may still know them.
  if (!type) return { kind: 'media' };
  if (type.mime.startsWith('image/')) return { kind: 'image', mime: type.mime };
  if (/^(video|audio)\//.test(type.mime) || MEDIA_MIMES.has(type.mime)) return { kind: 'media', mime: type.mime };
  throw new MediaError('UNSUPPORTED_TYPE', `It is of type ${type.ext} (${type.mime}).`);
}

/**
 * Signatures that are looked for before all others.
 *
 * PDF: may be all text. TIFF: its directory may lie anywhere, and file-type asks for that; most camera RAW files are
 * TIFF too, and whoever opens it finds out. The others are those that the TIFF mark or file-type would not tell.
 */
const SIGNATURES: readonly (readonly [mark: string, mime: string])[] = [
  ['%PDF-', 'application/pdf'],
  ['II*\0', 'image/tiff'],
  ['MM\0*', 'image/tiff'],
  ['IIRO', 'image/x-olympus-orf'],
  ['IIRS', 'image/x-olympus-orf'],
  ['MMOR', 'image/x-olympus-orf'],
  ['IIU\0', 'image/x-panasonic-rw2'],
  ['FUJIFILMCCD-RAW', 'image/x-fujifilm-raf'],
  ['v/1\x01', 'image/x-exr'],
];

function signatureOf(head: Uint8Array): string | undefined {
  const start = Buffer.from(head.subarray(0, 16)).toString('latin1');
  return SIGNATURES.find(([mark]) => start.startsWith(mark))?.[1];
}

/** The bytes as text when they are text: UTF-8, or UTF-16 with its mark, without control characters. */
function asText(head: Uint8Array): string | undefined {
  const utf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  const encoding = !utf16 ? 'utf-8' : head[0] === 0xff ? 'utf-16le' : 'utf-16be';
  try {
    // `stream`: the cut at SNIFF_BYTES may lie inside a character.
    const text = new TextDecoder(encoding, { fatal: true }).decode(head, { stream: true });
    // MPEG audio may start with the same two bytes as UTF-16's mark; its sync word is not text.
    if (utf16 && !/^[\x20-\x7e\s]{16}/.test(text)) return undefined;
    return /[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function nameOfText(text: string): string {
  const start = text.trimStart();
  if (start === '') return 'blank';
  if (/^[{[]/.test(start)) return 'JSON text';
  if (start.startsWith('#EXTM3U')) return 'a playlist';
  if (/^<(!doctype html|html)/i.test(start)) return 'an HTML page';
  if (start.startsWith('<')) return 'XML text';
  return 'text';
}
