/** One small picture of every format that the engine reads, made by the programs of this machine. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import sharp, { type Sharp } from 'sharp';

import { randomFrom } from '../../bench/support/random.js';

const run = promisify(execFile);

export interface Picture {
  /** `jpeg-cmyk` */
  readonly name: string;
  readonly bytes: Buffer;
}

const WIDTH = 48;
const HEIGHT = 36;

/** Gradients, an edge and grain, the same ones each time. RGB. */
export function scene(width: number, height: number, seed = 1): Buffer {
  const random = randomFrom(seed);
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edge = x > width / 2 === y > height / 2 ? 40 : 0;
      const grain = Math.floor(random() * 16);
      const at = (y * width + x) * 3;
      pixels[at] = Math.floor((x / width) * 160) + edge + grain;
      pixels[at + 1] = Math.floor((y / height) * 160) + edge + grain;
      pixels[at + 2] = 120 - edge + grain;
    }
  }
  return pixels;
}

const still = (): Sharp => sharp(scene(WIDTH, HEIGHT), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });

const moving = (): Sharp =>
  sharp(Buffer.concat([1, 2, 3].map((seed) => scene(WIDTH, HEIGHT, seed))), {
    raw: { width: WIDTH, height: HEIGHT * 3, channels: 3, pageHeight: HEIGHT },
  });

const SHARP: Readonly<Record<string, () => Promise<Buffer>>> = {
  jpeg: () => still().jpeg().toBuffer(),
  'jpeg-progressive': () => still().withMetadata({ orientation: 6 }).jpeg({ progressive: true }).toBuffer(),
  'jpeg-cmyk': () => still().toColourspace('cmyk').jpeg().toBuffer(),
  png: () => still().png().toBuffer(),
  'png-16': () => still().ensureAlpha(0.5).toColourspace('rgb16').png({ progressive: true }).toBuffer(),
  'png-palette': () => still().png({ palette: true }).toBuffer(),
  webp: () => still().webp().toBuffer(),
  'webp-animated': () => moving().webp({ loop: 0, delay: 100 }).toBuffer(),
  gif: () => still().gif().toBuffer(),
  'gif-animated': () => moving().gif({ loop: 0, delay: 100 }).toBuffer(),
  avif: () => still().avif({ effort: 0 }).toBuffer(),
  tiff: () => still().tiff({ compression: 'lzw' }).toBuffer(),
  'tiff-deflate-tiled': () =>
    still().tiff({ compression: 'deflate', tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
  'tiff-16': () => still().toColourspace('rgb16').tiff({ compression: 'none' }).toBuffer(),
  'tiff-cmyk': () => still().toColourspace('cmyk').tiff({ compression: 'lzw' }).toBuffer(),
};

/** ImageMagick's arguments between input and output. */
const MAGICK: Readonly<Record<string, readonly [file: string, ...args: string[]]>> = {
  'tiff-pages': ['out.tif', '(', '+clone', '-negate', ')', '-compress', 'zip'],
  bmp: ['out.bmp'],
  'bmp-rle': ['bmp3:out.bmp', '-colors', '64', '-type', 'palette', '-compress', 'RLE'],
  psd: ['out.psd', '-compress', 'RLE'],
  ico: ['out.ico', '(', '+clone', '-resize', '16x16!', ')'],
  jp2: ['out.jp2'],
  j2c: ['out.j2k'],
  heic: ['out.heic'],
};

const FFMPEG: Readonly<Record<string, readonly [file: string, ...args: string[]]>> = {
  jxl: ['out.jxl', '-f', 'image2'],
  exr: ['out.exr', '-pix_fmt', 'gbrpf32le'],
  apng: ['out.apng', '-vf', 'loop=2:1:0,noise=alls=20:allf=t', '-plays', '0', '-f', 'apng'],
};

/** Names of all of them. */
export const FORMATS: readonly string[] = [...Object.keys({ ...SHARP, ...MAGICK, ...FFMPEG }), 'svg', 'pdf', 'dng'];

export async function pictures(): Promise<Picture[]> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-pictures-'));
  try {
    const input = join(dir, 'in.png');
    await writeFile(input, await still().png().toBuffer());
    const written = async (output: string, program: string, args: readonly string[]): Promise<Buffer> => {
      await run(program, args);
      return readFile(join(dir, output));
    };
    const makers: readonly (readonly [string, () => Promise<Buffer>])[] = [
      ...Object.entries(SHARP),
      ...Object.entries(MAGICK).map(([name, [file, ...args]]) => {
        const [coder, path] = file.includes(':') ? file.split(':') : ['', file];
        const output = `${coder ? `${coder}:` : ''}${join(dir, path!)}`;
        return [name, () => written(path!, 'convert', [input, ...args, output])] as const;
      }),
      ...Object.entries(FFMPEG).map(([name, [file, ...args]]) => {
        const command = ['-nostdin', '-v', 'error', '-y', '-i', input, ...args, join(dir, file)];
        return [name, () => written(file, 'ffmpeg', command)] as const;
      }),
      ['svg', () => Promise.resolve(drawing())],
      ['pdf', async () => pdf(await still().jpeg().toBuffer())],
      ['dng', async () => dng(await still().jpeg().toBuffer())],
    ];
    const made: Picture[] = [];
    for (const [name, make] of makers) made.push({ name, bytes: await make() });
    return made;
  } finally {
    await rm(dir, { recursive: true });
  }
}

function drawing(): Buffer {
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 48 36">
  <defs><linearGradient id="g"><stop offset="0" stop-color="#204060"/><stop offset="1" stop-color="#e0a040"/></linearGradient></defs>
  <rect width="48" height="36" fill="url(#g)"/>
  <path d="M4 30 C 12 4, 30 4, 44 30 Z" fill="#3a7" fill-opacity="0.6" stroke="black"/>
  <g transform="rotate(20 24 18)"><circle cx="24" cy="18" r="7" fill="#fff"/></g>
</svg>
`);
}

/** A page of one photograph, with the cross-reference table that readers ask for. ISO 32000-1, 7.5. */
export function pdf(
  jpeg: Buffer,
  page = `${WIDTH} ${HEIGHT}`,
  content = `${WIDTH} 0 0 ${HEIGHT} 0 0 cm /Im Do`,
): Buffer {
  const objects: (string | Buffer)[][] = [
    ['<< /Type /Catalog /Pages 2 0 R >>'],
    ['<< /Type /Pages /Kids [3 0 R] /Count 1 >>'],
    [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${page}] /Contents 4 0 R /Resources << /XObject << /Im 5 0 R >> >> >>`,
    ],
    [`<< /Length ${content.length} >>\nstream\n${content}\nendstream`],
    [
      `<< /Type /XObject /Subtype /Image /Width ${WIDTH} /Height ${HEIGHT} /ColorSpace /DeviceRGB `,
      `/BitsPerComponent 8 /Filter /DCTDecode /Length ${jpeg.length} >>\nstream\n`,
      jpeg,
      '\nendstream',
    ],
  ];
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n')];
  const offsets: number[] = [];
  const length = (): number => parts.reduce((sum, part) => sum + part.length, 0);
  objects.forEach((body, i) => {
    offsets.push(length());
    parts.push(Buffer.from(`${i + 1} 0 obj\n`), ...body.map((part) => Buffer.from(part)), Buffer.from('\nendobj\n'));
  });
  const start = length();
  const entries = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const count = objects.length + 1;
  parts.push(Buffer.from(`xref\n0 ${count}\n0000000000 65535 f \n${entries}`));
  parts.push(Buffer.from(`trailer\n<< /Size ${count} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`));
  return Buffer.concat(parts);
}

/** A camera's raw file as far as a preview needs it: one directory, with an embedded JPEG. TIFF 6.0; DNG 1.6. */
export function dng(jpeg: Buffer, orientation = 1): Buffer {
  const LONG = 4;
  const SHORT = 3;
  const BYTE = 1;
  const entries: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [
    [0x00fe, LONG, 1, 1], // NewSubfileType: a preview
    [0x0100, LONG, 1, WIDTH],
    [0x0101, LONG, 1, HEIGHT],
    [0x0103, SHORT, 1, 7], // Compression: JPEG
    [0x0106, SHORT, 1, 6], // PhotometricInterpretation: YCbCr
    [0x0111, LONG, 1, 256], // StripOffsets
    [0x0112, SHORT, 1, orientation],
    [0x0115, SHORT, 1, 3], // SamplesPerPixel
    [0x0116, LONG, 1, HEIGHT], // RowsPerStrip
    [0x0117, LONG, 1, jpeg.length], // StripByteCounts
    [0xc612, BYTE, 4, 0x00000401], // DNGVersion 1.4.0.0
  ];
  const head = Buffer.alloc(256);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, type, count, value], i) => {
    const at = 10 + i * 12;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    head.writeUInt32LE(value, at + 8);
  });
  return Buffer.concat([head, jpeg]);
}
