/**
 * Small files that claim, or unfold to, far more than they are. Each states what must become of it; the bytes are
 * laid out by the formats' own standards, since no encoder writes such files.
 */
import { crc32, deflateSync } from 'node:zlib';

import sharp from 'sharp';

import { pdf } from './pictures.js';

export interface Bomb {
  readonly name: string;
  readonly make: () => Buffer | Promise<Buffer>;
  /** The codes that are right. `ready`: it may also be made, within the limits. */
  readonly verdict: RegExp;
  /** Its header says enough: no decoder may be asked for pixels. */
  readonly fromHeader: boolean;
}

const header = (name: string, verdict: RegExp, make: Bomb['make']): Bomb => ({ name, make, verdict, fromHeader: true });
/** What the header does not say: bounded by the limits of the process that decodes it. */
const inside = (name: string, verdict: RegExp, make: Bomb['make']): Bomb => ({
  name,
  make,
  verdict,
  fromHeader: false,
});

const SIDE = /^LIMIT_SIDE$/;
const PIXELS = /^LIMIT_PIXELS$/;
const FRAMES = /^LIMIT_FRAMES$/;
const BOUNDED = /^(ready|DAMAGED_FILE|TRUNCATED_FILE|LIMIT_\w+|DECODER_LIMIT|DECODER_TIMEOUT)$/;

const u16be = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const u16le = (value: number): Buffer => Buffer.from([value & 255, value >> 8]);
const u32be = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer).swap32();
const u32le = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');
const zeros = (length: number): Buffer => Buffer.alloc(length);

// PNG: ISO/IEC 15948.
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([ascii(type), data]);
  return Buffer.concat([u32be(data.length), body, u32be(crc32(body))]);
}

interface PngShape {
  readonly depth: number;
  /** 0 grey, 6 RGBA. */
  readonly colour: number;
  readonly interlaced?: boolean;
}

function png(width: number, height: number, shape: PngShape, data: Buffer, extra: readonly Buffer[] = []): Buffer {
  const start = Buffer.concat([u32be(width), u32be(height)]);
  const end = Buffer.from([shape.depth, shape.colour, 0, 0, shape.interlaced ? 1 : 0]);
  const ihdr = pngChunk('IHDR', Buffer.concat([start, end]));
  return Buffer.concat([PNG_SIGNATURE, ihdr, ...extra, pngChunk('IDAT', data), pngChunk('IEND', zeros(0))]);
}

const ONE_BIT: PngShape = { depth: 1, colour: 0 };
const blackRows = (side: number): Buffer => deflateSync(zeros((Math.ceil(side / 8) + 1) * side), { level: 9 });
const small = (extra: readonly Buffer[]): Buffer => png(8, 8, ONE_BIT, blackRows(8), extra);

// GIF89a.
const GIF_PICTURE = Buffer.from([0x02, 0x02, 0x44, 0x01, 0x00]); // 2-bit LZW: clear, one index, end.
const gifScreen = (width: number, height: number): Buffer =>
  Buffer.concat([ascii('GIF89a'), u16le(width), u16le(height), Buffer.from([0x80, 0, 0, 0, 0, 0, 255, 255, 255])]);
const gifFrame = (width: number, height: number): Buffer =>
  Buffer.concat([
    Buffer.from([0x21, 0xf9, 4, 0, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0]),
    ...[u16le(width), u16le(height), Buffer.from([0]), GIF_PICTURE],
  ]);
const gif = (width: number, height: number, frames: readonly Buffer[]): Buffer =>
  Buffer.concat([gifScreen(width, height), ...frames, Buffer.from([0x3b])]);

/** The size in the frame header (SOF) of a real JPEG put in place of its own. ITU-T T.81, B.2.2. */
function jpegOfSize(jpeg: Buffer, width: number, height: number): Buffer {
  const copy = Buffer.from(jpeg);
  const at = [0xc0, 0xc2].map((marker) => copy.indexOf(Buffer.from([0xff, marker]))).find((place) => place > 0)!;
  u16be(height).copy(copy, at + 5);
  u16be(width).copy(copy, at + 7);
  return copy;
}

/** A progressive picture whose last scan is repeated: each must be gone through, over all blocks. */
async function jpegOfScans(width: number, height: number, scans: number): Promise<Buffer> {
  const jpeg = await sharp({ create: { width, height, channels: 3, background: 'grey' } })
    .jpeg({ progressive: true })
    .toBuffer();
  const last = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]));
  const scan = jpeg.subarray(last, jpeg.length - 2);
  return Buffer.concat([jpeg.subarray(0, last), ...Array<Buffer>(scans).fill(scan), Buffer.from([0xff, 0xd9])]);
}

/** Every `ispe` (image spatial extents) of a real HEIF file set to another size. ISO/IEC 23008-12, 6.5.3. */
function heifOfSize(file: Buffer, width: number, height: number): Buffer {
  const copy = Buffer.from(file);
  for (let at = copy.indexOf('ispe'); at >= 0; at = copy.indexOf('ispe', at + 4)) {
    u32be(width).copy(copy, at + 8);
    u32be(height).copy(copy, at + 12);
  }
  return copy;
}

// WebP: RFC 9649.
const riff = (chunks: readonly Buffer[]): Buffer => {
  const body = Buffer.concat([ascii('WEBP'), ...chunks]);
  return Buffer.concat([ascii('RIFF'), u32le(body.length), body]);
};
const chunk = (name: string, data: Buffer): Buffer =>
  Buffer.concat([ascii(name), u32le(data.length), data, zeros(data.length % 2)]);
const u24le = (value: number): Buffer => u32le(value).subarray(0, 3);
const vp8x = (flags: number, width: number, height: number): Buffer =>
  chunk('VP8X', Buffer.concat([Buffer.from([flags, 0, 0, 0]), u24le(width - 1), u24le(height - 1)]));

async function webpOfFrames(width: number, height: number, frames: number): Promise<Buffer> {
  const still = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .webp({ lossless: true })
    .toBuffer();
  const frame = Buffer.concat([
    u24le(0),
    u24le(0),
    u24le(7),
    u24le(7),
    u24le(10),
    Buffer.from([0]),
    still.subarray(12),
  ]);
  const anim = chunk('ANIM', zeros(6));
  const all = Array<Buffer>(frames).fill(chunk('ANMF', frame));
  return riff([vp8x(0x02, width, height), anim, ...all]);
}

/** One strip of deflated zeros, of the size claimed or of fewer bytes. TIFF 6.0. */
function tiff(width: number, height: number, strip: Buffer, next = 0): Buffer {
  const entries = [
    ...[
      [0x100, 4, width],
      [0x101, 4, height],
      [0x102, 3, 8],
      [0x103, 3, 8],
      [0x106, 3, 1],
    ],
    ...[
      [0x111, 4, 200],
      [0x115, 3, 1],
      [0x116, 4, height],
      [0x117, 4, strip.length],
    ],
  ].map(([tag, type, value]) => Buffer.concat([u16le(tag!), u16le(type!), u32le(1), u32le(value!)]));
  const head = Buffer.concat([ascii('II*\0'), u32le(8), u16le(entries.length), ...entries, u32le(next)]);
  return Buffer.concat([head, zeros(200 - head.length), strip]);
}

const svg = (content: string, size = 'width="100" height="100"', start = ''): Buffer =>
  Buffer.from(
    `${start}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}>${content}</svg>`,
  );

/** Ten of the one before, so many times. */
function entities(levels: number): string {
  const list = Array.from({ length: levels }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
  return `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "lol">${list}]>`;
}

function uses(levels: number): string {
  const groups = Array.from(
    { length: levels },
    (_, i) => `<g id="u${i + 1}">${`<use xlink:href="#u${i}"/>`.repeat(10)}</g>`,
  ).join('');
  return `<defs><rect id="u0" width="9" height="9"/>${groups}</defs><use xlink:href="#u${levels}"/>`;
}

const filter = (content: string): string =>
  `<filter id="f" x="0" y="0" width="1" height="1">${content}</filter><rect width="100%" height="100%" filter="url(#f)"/>`;

function bmp(width: number, height: number): Buffer {
  const info = [u32le(40), u32le(width), u32le(height), u16le(1), u16le(24), zeros(24)];
  return Buffer.concat([ascii('BM'), u32le(154), zeros(4), u32le(54), ...info, zeros(100)]);
}

const psd = (width: number, height: number): Buffer =>
  Buffer.concat([
    ascii('8BPS'),
    u16be(1),
    zeros(6),
    u16be(3),
    u32be(height),
    u32be(width),
    u16be(8),
    u16be(3),
    zeros(64),
  ]);

/** SIZ of a codestream. ISO/IEC 15444-1, A.5.1. */
function j2c(width: number, height: number): Buffer {
  const size = [u32be(width), u32be(height), u32be(0), u32be(0), u32be(width), u32be(height), u32be(0), u32be(0)];
  const components = Buffer.from([0, 3, 7, 1, 1, 7, 1, 1, 7, 1, 1]);
  return Buffer.concat([Buffer.from([0xff, 0x4f, 0xff, 0x51]), u16be(47), u16be(0), ...size, components, zeros(64)]);
}

/** SizeHeader with 30 bits a side. ISO/IEC 18181-1, D.2. */
function jxl(width: number, height: number): Buffer {
  const bits: number[] = [];
  const put = (value: number, count: number): void => {
    for (let i = 0; i < count; i++) bits.push(Math.floor(value / 2 ** i) % 2);
  };
  put(0, 1);
  put(3, 2);
  put(height - 1, 30);
  put(0, 3);
  put(3, 2);
  put(width - 1, 30);
  const bytes = zeros(64);
  bits.forEach((bit, i) => (bytes[i >> 3]! |= bit << (i & 7)));
  return Buffer.concat([Buffer.from([0xff, 0x0a]), bytes]);
}

/** The attributes that every file must have; one half-float channel. OpenEXR File Layout. */
function exr(width: number, height: number): Buffer {
  const attribute = (name: string, type: string, value: Buffer): Buffer =>
    Buffer.concat([ascii(`${name}\0${type}\0`), u32le(value.length), value]);
  const box = Buffer.concat([u32le(0), u32le(0), u32le(width - 1), u32le(height - 1)]);
  const one = u32le(0x3f800000);
  return Buffer.concat([
    ...[u32le(0x01312f76), u32le(2)],
    attribute('channels', 'chlist', Buffer.concat([ascii('Y\0'), u32le(1), u32le(0), u32le(1), u32le(1), zeros(1)])),
    attribute('compression', 'compression', zeros(1)),
    attribute('dataWindow', 'box2i', box),
    attribute('displayWindow', 'box2i', box),
    attribute('lineOrder', 'lineOrder', zeros(1)),
    attribute('pixelAspectRatio', 'float', one),
    attribute('screenWindowCenter', 'v2f', zeros(8)),
    attribute('screenWindowWidth', 'float', one),
    zeros(64),
  ]);
}

function ico(picture: Buffer): Buffer {
  const head = Buffer.concat([Buffer.from([0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0]), u32le(picture.length)]);
  return Buffer.concat([head, u32le(22), picture]);
}

const plain = (format: 'jpeg' | 'avif', options = {}): Promise<Buffer> =>
  sharp({ create: { width: 64, height: 64, channels: 3, background: 'grey' } })
    .toFormat(format, options)
    .toBuffer();

export const BOMBS: readonly Bomb[] = [
  header('png-225000x225000', SIDE, () => png(225_000, 225_000, ONE_BIT, blackRows(8))),
  header('png-16384x16384', PIXELS, () => png(16_384, 16_384, ONE_BIT, blackRows(16_384))),
  header('apng-4-billion-frames', FRAMES, () => small([pngChunk('acTL', Buffer.concat([u32be(4e9), u32be(0)]))])),
  inside('png-text-of-512-MiB', BOUNDED, () =>
    small([pngChunk('zTXt', Buffer.concat([ascii('Comment\0\0'), deflateSync(zeros(2 ** 29))]))]),
  ),
  inside('png-profile-of-256-MiB', BOUNDED, () =>
    small([pngChunk('iCCP', Buffer.concat([ascii('icc\0\0'), deflateSync(zeros(2 ** 28))]))]),
  ),
  inside('png-16-bit-interlaced-49-MP', BOUNDED, () =>
    png(7000, 7000, { depth: 16, colour: 6, interlaced: true }, deflateSync(zeros(7000 * 7000 * 8 + 20_000))),
  ),

  header('gif-65535x65535', SIDE, () => gif(65_535, 65_535, [gifFrame(65_535, 65_535)])),
  header('gif-107000-frames', FRAMES, () => gif(8, 8, Array<Buffer>(107_000).fill(gifFrame(8, 8)))),
  header('gif-100-frames-of-4-MP', PIXELS, () => gif(2000, 2000, Array<Buffer>(100).fill(gifFrame(2000, 2000)))),
  header('gif-frame-larger-than-its-screen', SIDE, () => gif(1, 1, [gifFrame(65_535, 65_535)])),

  header('jpeg-64250x64250', SIDE, async () => jpegOfSize(await plain('jpeg'), 64_250, 64_250)),
  header('jpeg-19000x19000', PIXELS, async () => jpegOfSize(await plain('jpeg'), 19_000, 19_000)),
  inside('jpeg-progressive-2000-scans', BOUNDED, () => jpegOfScans(4000, 4000, 2000)),

  header('avif-60000x60000', SIDE, async () => heifOfSize(await plain('avif', { effort: 0 }), 60_000, 60_000)),
  header('avif-15000x15000', PIXELS, async () => heifOfSize(await plain('avif', { effort: 0 }), 15_000, 15_000)),

  header('webp-16383x16383', PIXELS, () => webpOfFrames(16_383, 16_383, 2)),
  header('webp-5000-frames', FRAMES, () => webpOfFrames(8, 8, 5000)),

  header('tiff-100000x100000', SIDE, () => tiff(100_000, 100_000, deflateSync(zeros(64)))),
  header('tiff-15000x15000', PIXELS, () => tiff(15_000, 15_000, deflateSync(zeros(15_000 ** 2)))),
  inside('tiff-directory-that-leads-to-itself', BOUNDED, () => tiff(64, 64, deflateSync(zeros(64 * 64)), 8)),
  inside('tiff-strip-of-512-MiB', BOUNDED, () => tiff(64, 64, deflateSync(zeros(2 ** 29)))),

  header('svg-1000000x1000000', /^(LIMIT_SIDE|DAMAGED_FILE)$/, () => svg('', 'width="1000000" height="1000000"')),
  header('svg-15000x15000', PIXELS, () => svg('<rect width="9" height="9"/>', 'width="15000" height="15000"')),
  inside('svg-entities', BOUNDED, () => svg('<text y="50">&l12;</text>', undefined, entities(12))),
  inside('svg-a-billion-uses', BOUNDED, () => svg(uses(9))),
  inside('svg-blur', BOUNDED, () =>
    svg(filter('<feGaussianBlur stdDeviation="5000"/>'.repeat(50)), 'width="3000" height="3000"'),
  ),
  inside('svg-turbulence', BOUNDED, () =>
    svg(filter('<feTurbulence baseFrequency="0.01" numOctaves="1000000"/>'), 'width="6000" height="6000"'),
  ),
  inside('svg-200000-levels-deep', BOUNDED, () => svg('<g>'.repeat(200_000) + '</g>'.repeat(200_000))),

  header('bmp-65535x65535', SIDE, () => bmp(65_535, 65_535)),
  header('bmp-15000x15000', PIXELS, () => bmp(15_000, 15_000)),
  header('psd-30000x30000', SIDE, () => psd(30_000, 30_000)),
  header('psd-15000x15000', PIXELS, () => psd(15_000, 15_000)),
  header('j2c-100000x100000', SIDE, () => j2c(100_000, 100_000)),
  header('j2c-15000x15000', PIXELS, () => j2c(15_000, 15_000)),
  header('jxl-1000000x1000000', SIDE, () => jxl(1_000_000, 1_000_000)),
  header('jxl-15000x15000', PIXELS, () => jxl(15_000, 15_000)),
  header('exr-1000000x1000000', SIDE, () => exr(1_000_000, 1_000_000)),
  header('exr-15000x15000', PIXELS, () => exr(15_000, 15_000)),
  header('ico-16384x16384', PIXELS, () => ico(png(16_384, 16_384, ONE_BIT, blackRows(16_384)))),

  inside('pdf-page-of-a-million-points', /^(ready|LIMIT_\w+|DAMAGED_FILE)$/, async () =>
    pdf(await plain('jpeg'), '1000000 1000000'),
  ),
  inside('pdf-a-million-pictures', BOUNDED, async () =>
    pdf(await plain('jpeg'), '600 600', '600 0 0 600 0 0 cm\n' + '/Im Do\n'.repeat(1_000_000)),
  ),
];
