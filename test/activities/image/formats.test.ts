import { describe, expect, jest, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';

import { openPicture } from '../../../src/activities/image/open-picture.js';
import { loadConfig, loadProfiles } from '../../../src/config/index.js';
import { pdfFile } from '../../support/pdf-files.js';
import { RAW_FILES } from '../../support/raw-files.js';
import { failureOf } from '../../tools/support.js';
import { openStudio } from './studio.js';
import { useStudio } from './support.js';

// Real decoders, on a machine that has other tests to run.
jest.setTimeout(60_000);

const studio = useStudio();

/** What is made by default, with the copyright. */
const KEEPING = { ...loadProfiles('').get('default').image, keepCopyright: true };

type Rgb = readonly [number, number, number];
const RED: Rgb = [255, 0, 0];
const BLUE: Rgb = [0, 0, 255];

/** Left half red, right half blue. */
async function halves(width = 400, height = 200): Promise<Buffer> {
  const half = { create: { width: width / 2, height, channels: 3 as const, background: '#0000ff' } };
  return sharp({ create: { width, height, channels: 3, background: '#ff0000' } })
    .composite([{ input: half, left: width / 2, top: 0 }])
    .png()
    .toBuffer();
}

async function expectColour(bytes: Buffer, expected: Rgb, within: number, x = 0.5, y = 0.5): Promise<void> {
  const { data, info } = await sharp(bytes)
    .flatten({ background: 'white' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const at = (Math.floor(y * info.height) * info.width + Math.floor(x * info.width)) * info.channels;
  const found = [data[at]!, data[at + 1]!, data[at + 2]!];
  const distance = Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
  if (distance > within) throw new Error(`${found.join(',')} instead of ${expected.join(',')} (+-${within})`);
}

/** Runs a program, ours to trust here, in a folder with one file, and gives what it wrote. */
async function run(command: string, args: string[], output: string, input?: Buffer, name = 'in.png'): Promise<Buffer> {
  const own = await mkdtemp(join(tmpdir(), 'mediamill-make-'));
  try {
    await writeFile(join(own, name), input ?? (await halves()));
    await promisify(execFile)(command, args, { cwd: own });
    return await readFile(join(own, output));
  } finally {
    await rm(own, { recursive: true });
  }
}
const ffmpeg = (args: string[], output: string, input?: Buffer) =>
  run('ffmpeg', ['-v', 'error', '-i', 'in.png', ...args, output], output, input);

const widest = (files: ReadonlyMap<string, Buffer>): Buffer => {
  const names = [...files.keys()].filter((name) => /^w\d+\.(jpg|png)$/.test(name));
  return files.get(names.sort((a, b) => Number(/\d+/.exec(b)![0]) - Number(/\d+/.exec(a)![0]))[0]!)!;
};

describe('camera RAW', () => {
  const jpeg = async (width: number, height: number) =>
    sharp(await halves(width, height))
      .jpeg({ quality: 95 })
      .toBuffer();

  test.each(Object.keys(RAW_FILES).filter((name) => name !== 'raf'))('%s is its preview, upright', async (name) => {
    const [large, small] = await Promise.all([jpeg(400, 200), jpeg(60, 40)]);
    // 6: to be turned right by a quarter.
    const { plan, files } = await studio.process(RAW_FILES[name]!({ large, small, orientation: 6 }), KEEPING);
    expect(plan.variants.map(({ copyright }) => copyright)).toContain('Jane Doe');
    expect(plan).toMatchObject({ format: name, reader: 'preview', width: 200, height: 400 });
    await expectColour(widest(files), RED, 12, 0.5, 0.2);
    await expectColour(widest(files), BLUE, 12, 0.5, 0.8);
  });

  test('the orientation of the preview itself goes first', async () => {
    const large = await sharp(await jpeg(400, 200))
      .withMetadata({ orientation: 8 })
      .toBuffer();
    const raf = await studio.process(RAW_FILES.raf!({ large, small: large }));
    expect(raf.plan).toMatchObject({ format: 'raf', width: 200, height: 400 });
    await expectColour(widest(raf.files), BLUE, 12, 0.5, 0.2);
    const nef = await studio.process(RAW_FILES.nef!({ large, small: large, orientation: 6 }));
    await expectColour(widest(nef.files), BLUE, 12, 0.5, 0.2);
  });

  test('without a picture that can be shown it is refused by its name', async () => {
    const noise = Buffer.alloc(2000, 7);
    expect(await failureOf(studio.process(RAW_FILES.arw!({ large: noise, small: noise })))).toMatchObject({
      code: 'UNSUPPORTED_FORMAT',
      message: expect.stringContaining('It is arw without a picture'),
    });
  });

  test('that ends before its picture is truncated', async () => {
    const file = RAW_FILES.raf!({ large: await jpeg(400, 200), small: Buffer.alloc(0) });
    expect(await failureOf(studio.process(file.subarray(0, file.length / 2)))).toMatchObject({
      code: 'TRUNCATED_FILE',
    });
  });

  test('is held to the limits by its preview', async () => {
    const strict = await openStudio(studio.scratch, { maxMegapixels: 0.05 });
    try {
      const large = await jpeg(400, 200);
      expect(await failureOf(strict.process(RAW_FILES.dng!({ large, small: large })))).toMatchObject({
        code: 'LIMIT_PIXELS',
      });
    } finally {
      await strict.tools.close();
    }
  });
});

describe('PDF', () => {
  test('is its first page', async () => {
    const { plan, files } = await studio.process(pdfFile({ width: 400, height: 200, pages: ['1 0 0', '0 0 1'] }));
    expect(plan).toMatchObject({
      format: 'pdf',
      reader: 'poppler',
      width: 1920,
      height: 960,
      hasAlpha: false,
      frames: 1,
    });
    await expectColour(widest(files), RED, 6, 0.25);
    // The page is painted on its left half only.
    await expectColour(widest(files), [255, 255, 255], 2, 0.75);
  });

  test('is upright', async () => {
    const { plan, files } = await studio.process(pdfFile({ width: 400, height: 200, turn: 90, pages: ['0 0 1'] }));
    expect(plan).toMatchObject({ width: 1920, height: 3840 });
    await expectColour(widest(files), BLUE, 6, 0.5, 0.25);
    await expectColour(widest(files), [255, 255, 255], 2, 0.5, 0.75);
  });

  test('shows the part that is meant to be shown', async () => {
    const file = pdfFile({ width: 400, height: 200, crop: [0, 0, 100, 100], pages: ['1 0 0'] });
    const { plan, files } = await studio.process(file);
    expect(plan).toMatchObject({ width: 1920, height: 1920 });
    await expectColour(widest(files), RED, 6, 0.9, 0.1);
  });

  test('that asks for a password is ENCRYPTED', async () => {
    expect(
      await failureOf(studio.process(pdfFile({ width: 99, height: 99, pages: ['1 0 0'], encrypted: true }))),
    ).toMatchObject({
      code: 'ENCRYPTED',
    });
  });

  test('of a page without end is drawn within its bounds; one without a page is damaged', async () => {
    const { plan } = await studio.process(pdfFile({ width: 14_000_000, height: 14_000_000, pages: ['1 0 0'] }));
    expect(plan).toMatchObject({ width: 1920, height: 1920 });
    expect(await failureOf(studio.process(Buffer.from('%PDF-1.7\nnothing\n')))).toMatchObject({ code: 'DAMAGED_FILE' });
  });
});

describe('OpenEXR', () => {
  test('is shown as screens show light', async () => {
    // A linear half is 188 of 255 on a screen.
    const grey = await sharp({
      create: { width: 400, height: 200, channels: 3, background: { r: 188, g: 188, b: 188 } },
    })
      .png()
      .toBuffer();
    const linear = 'zscale=transferin=iec61966-2-1:transfer=linear:range=full,format=gbrpf32le';
    const file = await ffmpeg(['-vf', linear], 'out.exr', grey);
    const { plan, files } = await studio.process(file);
    expect(plan).toMatchObject({ format: 'exr', reader: 'ffmpeg', width: 400, height: 200, hasAlpha: false });
    await expectColour(widest(files), [188, 188, 188], 3);
  });

  test('above what memory allows is refused by its header, with the number', async () => {
    const file = await ffmpeg(['-pix_fmt', 'gbrpf32le'], 'out.exr', await halves(60, 40));
    const window = file.indexOf('displayWindow\0box2i\0') + 'displayWindow\0box2i\0'.length + 4;
    file.writeInt32LE(5999, window + 8);
    file.writeInt32LE(3999, window + 12);
    expect(await failureOf(studio.process(file))).toMatchObject({
      code: 'LIMIT_PIXELS',
      message: expect.stringContaining('It has 24.0 million; 13.0 million are allowed of exr'),
    });
  });
});

describe('JPEG XL', () => {
  test('in a wider colour space is shown in sRGB', async () => {
    // ffmpeg names the colours of the profile in the file.
    const wide = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#c83c28' } })
      .withIccProfile('p3')
      .png()
      .toBuffer();
    const file = await ffmpeg(['-frames:v', '1', '-distance', '0.1', '-f', 'image2'], 'out.jxl', wide);
    const { plan, files } = await studio.process(file);
    expect(plan).toMatchObject({ format: 'jxl', reader: 'ffmpeg', hasAlpha: false });
    await expectColour(widest(files), [0xc8, 0x3c, 0x28], 8);
  });

  test('keeps its transparency', async () => {
    const clear = await sharp({ create: { width: 64, height: 64, channels: 4, background: '#ff000000' } })
      .png()
      .toBuffer();
    const { plan } = await studio.process(await ffmpeg(['-frames:v', '1', '-f', 'image2'], 'out.jxl', clear));
    expect(plan).toMatchObject({ format: 'jxl', hasAlpha: true });
  });
});

describe('animated PNG', () => {
  test('keeps its frames, times and plays', async () => {
    // Red, then red and blue, then blue, one for each tenth of a second.
    const crop = 'loop=2:1,crop=200:200:100*n:0';
    const args = [
      '-v',
      'error',
      '-framerate',
      '10',
      '-i',
      'in.png',
      '-vf',
      crop,
      '-plays',
      '3',
      '-f',
      'apng',
      'out.png',
    ];
    const file = await run('ffmpeg', args, 'out.png');
    const { plan, files } = await studio.process(file);
    expect(plan).toMatchObject({ format: 'apng', reader: 'ffmpeg', frames: 3, width: 200, height: 200 });
    const animation = files.get('animation.webp')!;
    expect(await sharp(animation, { animated: true }).metadata()).toMatchObject({
      pages: 3,
      loop: 3,
      delay: [100, 100, 100],
    });
    await expectColour(await sharp(animation, { page: 0 }).png().toBuffer(), RED, 12);
    await expectColour(await sharp(animation, { page: 2 }).png().toBuffer(), BLUE, 12);
    await expectColour(files.get('thumb.jpg')!, RED, 12);
  });

  test('of too many frames is refused by its header', async () => {
    const file = await ffmpeg(['-vf', 'loop=1:1', '-f', 'apng'], 'out.png');
    file.writeUInt32BE(301, file.indexOf('acTL') + 4);
    expect(await failureOf(studio.process(file))).toMatchObject({
      code: 'LIMIT_FRAMES',
      message: expect.stringContaining('301'),
    });
  });
});

describe('HEIC', () => {
  test('is upright though its Exif says otherwise, and keeps its copyright', async () => {
    const exif = await sharp(await halves())
      .jpeg({ quality: 95 })
      .withMetadata({ orientation: 6, exif: { IFD0: { Copyright: 'Jane Doe' } } })
      .toBuffer();
    expect((await sharp(exif).metadata()).orientation).toBe(6);
    const file = await run('heif-enc', ['in.jpg', '-o', 'out.heic'], 'out.heic', exif, 'in.jpg');
    const { plan, files } = await studio.process(file, KEEPING);
    expect(plan).toMatchObject({ format: 'heic', reader: 'libheif', width: 400, height: 200 });
    expect(plan.variants.map(({ copyright }) => copyright)).toContain('Jane Doe');
    await expectColour(widest(files), RED, 12, 0.2);
    await expectColour(widest(files), BLUE, 12, 0.8);
  });

  test('with transparency keeps it, upright too', async () => {
    const clear = await sharp({ create: { width: 64, height: 32, channels: 4, background: '#ff000000' } })
      .png()
      .withMetadata({ orientation: 6 })
      .toBuffer();
    expect((await sharp(clear).metadata()).orientation).toBe(6);
    const file = await run('heif-enc', ['in.png', '-o', 'out.heic'], 'out.heic', clear);
    const { plan, files } = await studio.process(file);
    expect(plan).toMatchObject({ reader: 'libheif', hasAlpha: true, width: 64, height: 32 });
    expect((await sharp(files.get('w64.webp')).stats()).isOpaque).toBe(false);
  });

  test('is read by ImageMagick where libheif has no converter, upright too', async () => {
    const turned = await sharp(await halves())
      .jpeg({ quality: 95 })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const file = await run('heif-enc', ['in.jpg', '-o', 'out.heic'], 'out.heic', turned, 'in.jpg');
    const { limits } = loadConfig({ files: [], env: {} });
    const tools = { ...studio.tools, heif: undefined };
    await tools.withImageSlot(async (slot) => {
      await writeFile(join(slot.dir, 'source'), file);
      const opened = await openPicture({ tools, slot, limits }, 'source', 'image/heic');
      expect(opened).toMatchObject({ reader: 'imagemagick', facts: { width: 400, height: 200, orientation: 1 } });
      await expectColour(await readFile(join(slot.dir, opened.file)), RED, 12, 0.2);
    });
  });
});

describe('JPEG 2000', () => {
  test('larger than memory is decoded smaller', async () => {
    const small = await openStudio(studio.scratch, { imageMemoryMiB: 192 });
    try {
      // 10.5 million pixels; 9.6 fit.
      const file = await run(
        'convert',
        ['in.png', '-quality', '20', 'jp2:out.jp2'],
        'out.jp2',
        await halves(4200, 2500),
      );
      const { plan, files } = await small.process(file);
      expect(plan).toMatchObject({ format: 'jp2', reader: 'imagemagick' });
      expect([1050, 2100]).toContain(plan.width);
      await expectColour(widest(files), RED, 12, 0.2);
    } finally {
      await small.tools.close();
    }
  });
});

describe('others', () => {
  test('a PSD in CMYK is shown by its profile', async () => {
    const cmyk = await sharp(await halves())
      .withIccProfile('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer();
    const psd = await run('convert', ['jpeg:in.png', 'psd:out.psd'], 'out.psd', cmyk);
    const [asJpeg, asPsd] = [await studio.process(cmyk), await studio.process(psd)];
    for (const x of [0.2, 0.8]) {
      const { data } = await sharp(widest(asJpeg.files))
        .extract({ left: Math.floor(400 * x), top: 100, width: 1, height: 1 })
        .raw()
        .toBuffer({ resolveWithObject: true });
      await expectColour(widest(asPsd.files), [data[0]!, data[1]!, data[2]!], 4, x);
    }
  });

  test('a TIFF of several pages is its first', async () => {
    const page = (background: string) =>
      sharp({ create: { width: 400, height: 200, channels: 3, background } })
        .png()
        .toBuffer();
    const pages = await sharp([await page('#ff0000'), await page('#0000ff')], { join: { animated: true } })
      .tiff()
      .toBuffer();
    expect((await sharp(pages).metadata()).pages).toBe(2);
    const { plan, files } = await studio.process(pages);
    expect(plan).toMatchObject({ format: 'tiff', reader: 'sharp', frames: 1, height: 200 });
    await expectColour(widest(files), RED, 6);
  });

  test('what is no picture any more is damaged, and says which header is missing', async () => {
    expect(await failureOf(studio.process(Buffer.concat([Buffer.from('II*\0'), Buffer.alloc(200)])))).toMatchObject({
      code: 'DAMAGED_FILE',
      message: expect.stringContaining('tiff header'),
    });
    expect(
      await failureOf(studio.process(Buffer.concat([Buffer.from('v/1\x01', 'latin1'), Buffer.alloc(200)]))),
    ).toMatchObject({
      code: 'DAMAGED_FILE',
      message: expect.stringContaining('exr header'),
    });
  });

  test('a decoder that takes too long says how long it had', async () => {
    const hurried = await openStudio(studio.scratch, { imageSeconds: 1 });
    try {
      // Content that a renderer goes through for very long: a million strokes.
      const strokes = '0 0 m 99 99 l S '.repeat(400_000);
      const file = pdfFile({ width: 99, height: 99, pages: ['1 0 0'], content: strokes });
      expect(await failureOf(hurried.process(file))).toMatchObject({
        code: 'DECODER_TIMEOUT',
        message: expect.stringContaining('1 s are allowed'),
      });
    } finally {
      await hurried.tools.close();
    }
  });
});
