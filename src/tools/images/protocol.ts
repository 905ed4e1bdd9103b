/** What the pool and its sharp child say to each other: one JSON object per line. */
import type { ImageTraits, ImageVariant } from '../../contracts/image.js';
import type { ImageHeader, PictureLooks, SheetSpec, StripSpec } from '../tools.js';

/**
 * Begins every line of the child that is meant for the pool (RFC 7464's record separator): whatever a native library
 * prints to the same pipe is told apart and dropped.
 */
export const RECORD_SEPARATOR = '\x1e';

/** No honest reply comes near it; a child that sends more has been taken over. Characters. */
export const MAX_LINE = 65_536;

export type ImageCall =
  | { readonly op: 'inspect'; readonly file: string }
  | {
      readonly op: 'render';
      readonly file: string;
      readonly variants: readonly ImageVariant[];
      /** Find out what the picture looks like, too. */
      readonly traits: boolean;
      /** Pixels of the picture; the decoder itself refuses more, whatever the header said before. */
      readonly maxPixels: number;
    }
  | { readonly op: 'look' | 'opaque'; readonly file: string; readonly maxPixels: number }
  | { readonly op: 'sheet'; readonly file: string; readonly spec: SheetSpec; readonly maxPixels: number }
  | { readonly op: 'strip'; readonly file: string; readonly spec: StripSpec; readonly maxPixels: number };

export type ImageRequest = ImageCall & { readonly id: number };

/** `memory` and `space` are the host's, the others the file's. */
export type ImageFault = 'unsupported' | 'damaged' | 'pixels' | 'memory' | 'space';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Of `render`: the size of every file as written, in the order asked for. */
export interface Rendered {
  readonly sizes: readonly Size[];
  readonly traits?: ImageTraits | undefined;
}

/** Of `strip`: its size, and how long each frame is shown, milliseconds. */
export interface FrameStrip extends Size {
  readonly delays: readonly number[];
}

/** Of `opaque`. */
export interface Opacity {
  readonly isOpaque: boolean;
}

/** Of `inspect`: the header. Of `sheet`: its size. */
export type ImageResult = Opacity | ImageHeader | PictureLooks | Rendered | Size | FrameStrip;

/** A variant of `render` is written whole; the rest is still being made. */
export interface ImageNews {
  readonly id: number;
  /** Which of the variants asked for. */
  readonly written: number;
  readonly size: Size;
}

export type ImageReply =
  /** Sent once, with id 0, when the child can take requests. */
  | { readonly id: number; readonly ok: true; readonly result: ImageResult | null; readonly residentKiB: number }
  | { readonly id: number; readonly ok: false; readonly fault: ImageFault; readonly message: string };

/** @returns undefined for a line that is neither. The child is not trusted: every field is looked at. */
export function parseLine(line: string): ImageReply | ImageNews | undefined {
  if (!line.startsWith(RECORD_SEPARATOR)) return undefined;
  let reply: Partial<Record<string, unknown>>;
  try {
    reply = JSON.parse(line.slice(1)) as typeof reply;
  } catch {
    return undefined;
  }
  if (typeof reply !== 'object' || reply === null || !isCount(reply.id)) return undefined;
  if (reply.written !== undefined) {
    return isCount(reply.written) && isSize(reply.size) ? (reply as unknown as ImageNews) : undefined;
  }
  if (reply.ok === false) {
    return typeof reply.message === 'string' && FAULTS.has(reply.fault as ImageFault)
      ? (reply as ImageReply)
      : undefined;
  }
  return reply.ok === true && isCount(reply.residentKiB) ? (reply as ImageReply) : undefined;
}

export function isHeader(result: unknown): result is ImageHeader {
  if (!isSize(result)) return false;
  const { format, pages, orientation, hasAlpha, isWide, copyright } = result as unknown as ImageHeader;
  return (
    typeof format === 'string' &&
    /^[a-z0-9]{1,16}$/.test(format) &&
    isCount(pages) &&
    isCount(orientation) &&
    orientation >= 1 &&
    orientation <= 8 &&
    typeof hasAlpha === 'boolean' &&
    (isWide === undefined || typeof isWide === 'boolean') &&
    (copyright === undefined || isLine(copyright))
  );
}

export function isRendered(result: unknown, count: number, traits: boolean): result is Rendered {
  if (typeof result !== 'object' || result === null) return false;
  const rendered = result as Partial<Rendered>;
  if (traits ? !isTraits(rendered.traits) : rendered.traits !== undefined) return false;
  return Array.isArray(rendered.sizes) && rendered.sizes.length === count && rendered.sizes.every(isSize);
}

function isTraits(traits: Partial<ImageTraits> | undefined): boolean {
  const { thumbHash, blurHash, dominantColour, palette, perceptualHash } = traits ?? {};
  return (
    /^[A-Za-z0-9+/]{7,40}={0,2}$/.test(String(thumbHash)) &&
    /^[0-9A-Za-z#$%*+,\-.:;=?@[\]^_{|}~]{6,100}$/.test(String(blurHash)) &&
    isColour(dominantColour) &&
    Array.isArray(palette) &&
    palette.length <= 6 &&
    palette.every(isColour) &&
    /^[0-9a-f]{16}$/.test(String(perceptualHash))
  );
}

const isColour = (value: unknown): boolean => /^#[0-9a-f]{6}$/.test(String(value));
const isLine = (value: unknown): boolean =>
  typeof value === 'string' && value.length <= MAX_COPYRIGHT && /^\P{Cc}+$/u.test(value);

export function isLooks(result: unknown): result is PictureLooks {
  if (typeof result !== 'object' || result === null) return false;
  const { brightness, contrast, entropy, sharpness } = result as PictureLooks;
  return [brightness, contrast, entropy, sharpness].every((value) => Number.isFinite(value) && value >= 0);
}

export function isOpacity(result: unknown): result is Opacity {
  return typeof result === 'object' && result !== null && typeof (result as Opacity).isOpaque === 'boolean';
}

export function isStrip(result: unknown, { width, height }: StripSpec): result is FrameStrip {
  if (!isSize(result)) return false;
  const { delays } = result as FrameStrip;
  return (
    Array.isArray(delays) &&
    delays.length > 0 &&
    delays.every(isCount) &&
    result.width === width &&
    result.height === height * delays.length
  );
}

const FAULTS: ReadonlySet<ImageFault> = new Set(['unsupported', 'damaged', 'pixels', 'memory', 'space']);

/** Characters. */
export const MAX_COPYRIGHT = 200;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export function isSize(value: unknown): value is Size {
  if (typeof value !== 'object' || value === null) return false;
  const { width, height } = value as Partial<Size>;
  return isCount(width) && isCount(height) && width > 0 && height > 0;
}
