import { describe, expect, jest, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

import { failureOf } from '../../tools/support.js';
import { useStudio } from './support.js';

// Real decoders, on a machine that has other tests to run.
jest.setTimeout(60_000);

const studio = useStudio();

type Rgb = readonly [number, number, number];
const RED: Rgb = [255, 0, 0];
const WHITE: Rgb = [255, 255, 255];

const solid = ([r, g, b]: Rgb, width = 400, height = 300): Sharp =>
  sharp({ create: { width, height, channels: 3, background: { r, g, b } } });

/** The colour at a place, both as parts of the sides. */
async function colourAt(bytes: Buffer, x: number, y: number): Promise<Rgb> {
  const { data, info } = await sharp(bytes)
    .flatten({ background: 'white' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const at = (Math.floor(y * info.height) * info.width + Math.floor(x * info.width)) * info.channels;
  return [data[at]!, data[at + 1]!, data[at + 2]!];
}

async function expectColour(bytes: Buffer, expected: Rgb, within: number, x = 0.5, y = 0.5): Promise<void> {
  const found = await colourAt(bytes, x, y);
  const distance = Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
  if (distance > within) throw new Error(`${found.join(',')} instead of ${expected.join(',')} (+-${within})`);
}

/** Runs ImageMagick, ours to trust here, and gives what it wrote. */
async function convert(input: Buffer, args: string[], output: string): Promise<Buffer> {
  const own = await mkdtemp(join(tmpdir(), 'mediamill-convert-'));
  try {
    await writeFile(join(own, 'in.png'), input);
    const [coder, name] = output.split(':');
    await promisify(execFile)('convert', [join(own, 'in.png'), ...args, `${coder}:${join(own, name!)}`]);
    return await readFile(join(own, name!));
  } finally {
    await rm(own, { recursive: true });
  }
}

/** From one profile to another by ImageMagick's own colour management. */
async function convertProfile(jpeg: Buffer, from: Buffer, to: Buffer): Promise<Buffer> {
  const own = await mkdtemp(join(tmpdir(), 'mediamill-convert-'));
  try {
    await Promise.all([
      writeFile(join(own, 'in.jpg'), jpeg),
      writeFile(join(own, 'from.icc'), from),
      writeFile(join(own, 'to.icc'), to),
    ]);
    const profiles = ['+profile', '*', '-profile', join(own, 'from.icc'), '-profile', join(own, 'to.icc')];
    await promisify(execFile)('convert', [
      join(own, 'in.jpg'),
      ...['-intent', 'perceptual'],
      ...profiles,
      join(own, 'out.png'),
    ]);
    return await readFile(join(own, 'out.png'));
  } finally {
    await rm(own, { recursive: true });
  }
}

const formatOf = async (bytes: Buffer) => {
  const { format, width, height } = await sharp(bytes).metadata();
  return `${format === 'heif' ? 'avif' : format} ${width}x${height}`;
};

describe('sizes', () => {
  test.each([
    [2000, 1000],
    [1000, 2000],
    [320, 5000],
    [50, 20],
    [1, 1],
    [3000, 10],
  ])('of %dx%d are as planned, the thumbnail exactly 100x100', async (width, height) => {
    const { plan, files } = await studio.process(await solid(RED, width, height).png().toBuffer());
    expect([...files.keys()]).toEqual(plan.variants.map(({ name }) => name));
    for (const { name, format, width: w, height: h } of plan.variants) {
      expect(await formatOf(files.get(name)!)).toBe(`${format} ${w}x${h}`);
      await expectColour(files.get(name)!, RED, format === 'avif' ? 8 : 4);
    }
    expect(await formatOf(files.get('thumb.jpg')!)).toBe('jpeg 100x100');
  });

  test('a thumbnail shows the middle', async () => {
    const middle = await solid([0, 0, 255], 300, 300).png().toBuffer();
    const wide = solid(RED, 900, 300).composite([{ input: middle, left: 300, top: 0 }]);
    const { files } = await studio.process(await wide.png().toBuffer());
    for (const x of [0.05, 0.5, 0.95]) await expectColour(files.get('thumb.jpg')!, [0, 0, 254], 4, x);
  });

  test('a thumbnail of a panorama is made from its full height, not from the narrowest variant', async () => {
    // Lines of one pixel: they survive at the full height of 100, and are grey mush at 32.
    const stripes = Buffer.alloc(6000 * 100 * 3, 0);
    for (let y = 0; y < 100; y += 4) stripes.fill(255, y * 18_000, (y + 2) * 18_000);
    const panorama = sharp(stripes, { raw: { width: 6000, height: 100, channels: 3 } });
    const { files } = await studio.process(await panorama.png().toBuffer());
    expect((await sharp(files.get('thumb.jpg')).stats()).channels[0]!.stdev).toBeGreaterThan(90);
  });
});

describe('orientation', () => {
  const [WIDTH, HEIGHT] = [480, 320];
  const QUARTERS: readonly Rgb[] = [RED, [0, 160, 0], [0, 0, 255], [255, 255, 0]];

  /** Where the pixel of stored column x, row y is displayed; by the words of the EXIF standard, 4.6.5 (Orientation). */
  const DISPLAYED: readonly ((x: number, y: number) => readonly [number, number])[] = [
    (x, y) => [x, y],
    (x, y) => [WIDTH - 1 - x, y],
    (x, y) => [WIDTH - 1 - x, HEIGHT - 1 - y],
    (x, y) => [x, HEIGHT - 1 - y],
    (x, y) => [y, x],
    (x, y) => [WIDTH - 1 - y, x],
    (x, y) => [WIDTH - 1 - y, HEIGHT - 1 - x],
    (x, y) => [y, HEIGHT - 1 - x],
  ];

  function stored(orientation: number): Sharp {
    const [width, height] = orientation >= 5 ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT];
    const data = Buffer.alloc(width * height * 3);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [shownX, shownY] = DISPLAYED[orientation - 1]!(x, y);
        const quarter = (shownX < WIDTH / 2 ? 0 : 1) + (shownY < HEIGHT / 2 ? 0 : 2);
        data.set(QUARTERS[quarter]!, (y * width + x) * 3);
      }
    }
    return sharp(data, { raw: { width, height, channels: 3 } }).withMetadata({ orientation });
  }

  const MAKERS: readonly [string, (image: Sharp) => Sharp][] = [
    ['jpeg', (image) => image.jpeg({ quality: 95 })],
    ['png', (image) => image.png()],
    ['webp', (image) => image.webp({ lossless: true })],
    ['tiff', (image) => image.tiff({ compression: 'lzw' })],
  ];

  test.each(MAKERS.flatMap(([name, make]) => [1, 2, 3, 4, 5, 6, 7, 8].map((n) => [name, n, make] as const)))(
    '%s %d is displayed upright',
    async (_name, orientation, make) => {
      const { plan, files } = await studio.process(await make(stored(orientation)).toBuffer());
      expect(plan).toMatchObject({ width: WIDTH, height: HEIGHT });
      for (const name of ['w320.jpg', 'w320.webp', 'w320.avif', 'thumb.jpg']) {
        expect((await sharp(files.get(name)).metadata()).orientation).toBeUndefined();
        for (const [i, expected] of QUARTERS.entries()) {
          await expectColour(files.get(name)!, expected, 12, i % 2 ? 0.8 : 0.2, i < 2 ? 0.2 : 0.8);
        }
      }
    },
  );
});

describe('metadata', () => {
  test('of the source, its place above all, is in no variant', async () => {
    const secret = 'Secret garden 51.5';
    const source = await solid(RED)
      .withExif({
        IFD0: { Copyright: secret, ImageDescription: secret },
        IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' },
      })
      .withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>${secret}</a></x:xmpmeta>`)
      .jpeg()
      .toBuffer();
    expect(source.includes(secret)).toBe(true);
    const { files } = await studio.process(source);
    for (const bytes of files.values()) {
      for (const trace of [secret, 'Exif', 'EXIF', 'XMP', 'xmpmeta', 'Photoshop'])
        expect(bytes.includes(trace)).toBe(false);
      const { exif, xmp, iptc, icc } = await sharp(bytes).metadata();
      expect({ exif, xmp, iptc, icc }).toEqual({});
    }
  });
});

describe('colours become sRGB', () => {
  const COLOURS: readonly Rgb[] = [RED, [0, 160, 0], [30, 60, 200], [128, 128, 128], [240, 200, 180]];

  // The bound is what 4:2:0 JPEG and WebP at quality 80 do to a plain surface, and 1 of rounding.
  test.each([
    [
      'Display P3 JPEG',
      5,
      (c: Rgb) => solid(c).withIccProfile('p3').jpeg({ quality: 100, chromaSubsampling: '4:4:4' }),
    ],
    ['Display P3 PNG', 5, (c: Rgb) => solid(c).withIccProfile('p3').png()],
    ['16-bit Display P3 PNG', 5, (c: Rgb) => solid(c).toColourspace('rgb16').withIccProfile('p3').png()],
    ['16-bit PNG without a profile', 5, (c: Rgb) => solid(c).toColourspace('rgb16').png()],
    ['16-bit TIFF', 5, (c: Rgb) => solid(c).toColourspace('rgb16').tiff({ compression: 'lzw' })],
    ['AVIF', 6, (c: Rgb) => solid(c).avif({ quality: 90 })],
  ])('%s within %d', async (_name, within, make) => {
    for (const colour of COLOURS) {
      const { files } = await studio.process(await make(colour).toBuffer());
      await expectColour(files.get('w320.jpg')!, colour, within);
      await expectColour(files.get('w320.webp')!, colour, within);
      await expectColour(files.get('w320.avif')!, colour, 8);
      await expectColour(files.get('thumb.jpg')!, colour, within);
    }
  });

  test.each([
    ['with a profile', true],
    ['without one', false],
  ])('CMYK JPEG %s within 6 of what ImageMagick makes of it by the same profiles', async (_name, embedded) => {
    const profileOf = async (name: string, space: string): Promise<Buffer> =>
      (await sharp(await solid(RED).toColourspace(space).withIccProfile(name).jpeg().toBuffer()).metadata()).icc!;
    const [cmyk, srgb] = await Promise.all([profileOf('cmyk', 'cmyk'), profileOf('srgb', 'srgb')]);
    // Within what ink can show: at its edge two colour engines round differently.
    for (const colour of [
      [180, 90, 90],
      [90, 120, 160],
      [128, 128, 128],
      [220, 200, 180],
    ] as const) {
      const image = solid(colour).toColourspace('cmyk');
      const source = await (embedded ? image.withIccProfile('cmyk') : image).jpeg({ quality: 100 }).toBuffer();
      const expected = await colourAt(await convertProfile(source, cmyk, srgb), 0.5, 0.5);
      const { files } = await studio.process(source);
      await expectColour(files.get('w320.jpg')!, expected, 6);
      await expectColour(files.get('w320.webp')!, expected, 6);
    }
  });

  test('grey stays grey', async () => {
    const { files } = await studio.process(await solid([90, 90, 90]).toColourspace('b-w').png().toBuffer());
    await expectColour(files.get('w320.jpg')!, [90, 90, 90], 2);
  });

  test('transparency stays, with PNG for JPEG, and is white in the thumbnail', async () => {
    const clear = sharp({
      create: { width: 400, height: 300, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } },
    });
    const { files } = await studio.process(await clear.png().toBuffer());
    expect(files.has('w320.jpg')).toBe(false);
    await expectColour(files.get('thumb.jpg')!, WHITE, 1);
    for (const name of ['w320.png', 'w320.webp', 'w320.avif']) {
      expect((await sharp(files.get(name)).stats()).channels[3]!.max).toBe(0);
    }
  });
});

describe('formats that sharp does not read', () => {
  const picture = () => solid([60, 120, 180]).png().toBuffer();

  test.each([
    ['bmp', []],
    ['bmp', ['-colors', '16', '-type', 'palette']],
    ['psd', []],
    ['jp2', ['-quality', '90']],
    ['j2k', ['-quality', '90']],
  ])('%s %j are read by ImageMagick', async (coder, args) => {
    const { plan, files } = await studio.process(await convert(await picture(), args, `${coder}:out`));
    expect(plan).toMatchObject({ width: 400, height: 300, reader: 'imagemagick' });
    await expectColour(files.get('w320.jpg')!, [60, 120, 180], 12);
  });

  test('an icon shows its largest entry', async () => {
    const icon = await convert(
      await solid(RED, 64, 64).png().toBuffer(),
      ['(', '-size', '32x32', 'xc:blue', ')'],
      'ico:out',
    );
    const { plan, files } = await studio.process(icon);
    expect(plan).toMatchObject({ width: 64, height: 64, format: 'ico' });
    await expectColour(files.get('w64.jpg')!, RED, 4);
  });

  test('JPEG XL is read by ffmpeg', async () => {
    const own = await mkdtemp(join(tmpdir(), 'mediamill-jxl-'));
    try {
      await writeFile(join(own, 'in.png'), await picture());
      await promisify(execFile)('ffmpeg', [
        '-v',
        'error',
        '-i',
        join(own, 'in.png'),
        '-f',
        'image2',
        join(own, 'out.jxl'),
      ]);
      const { plan, files } = await studio.process(await readFile(join(own, 'out.jxl')));
      expect(plan).toMatchObject({ width: 400, height: 300, reader: 'ffmpeg', format: 'jxl' });
      await expectColour(files.get('w320.jpg')!, [60, 120, 180], 6);
    } finally {
      await rm(own, { recursive: true });
    }
  });

  test('others are refused by name', async () => {
    const qoi = Buffer.concat([Buffer.from('gimp xcf v011\0'), Buffer.alloc(100)]);
    const error = await failureOf(studio.process(qoi));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_FORMAT', message: expect.stringContaining('xcf') });
  });
});

describe('animations', () => {
  const frames = async (): Promise<Buffer> => {
    const pages = await Promise.all(
      [RED, [0, 0, 255] as const].map((colour) => solid(colour, 40, 40).raw().toBuffer()),
    );
    return Buffer.concat(pages);
  };
  test.each(['gif', 'webp'] as const)('%s shows its first frame', async (format) => {
    const raw = { width: 40, height: 80, channels: 3, pageHeight: 40 } as const;
    const { files } = await studio.process(
      await sharp(await frames(), { raw })
        .toFormat(format)
        .toBuffer(),
    );
    await expectColour(files.get('w40.jpg')!, RED, 6);
  });
});

describe('SVG', () => {
  const svg = (content: string, size = 'width="200" height="100"') =>
    Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}>
      <rect width="100%" height="100%" fill="#ff0000"/>${content}</svg>`);

  test('is drawn', async () => {
    const { plan, files } = await studio.process(svg('<rect x="100" width="100" height="100" fill="#0000ff"/>'));
    expect(plan).toMatchObject({ width: 200, height: 100, reader: 'sharp' });
    await expectColour(files.get('w200.jpg')!, RED, 6, 0.2);
    await expectColour(files.get('w200.jpg')!, [0, 0, 254], 6, 0.8);
  });

  test('fetches nothing', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
      const image = `<image href="${url}.png" xlink:href="${url}.png" width="200" height="100"/>`;
      const style = `<style>@import url("${url}.css"); rect { fill: url("${url}.svg#a"); }</style>`;
      await studio.process(svg(`${image}<use xlink:href="${url}.svg#a"/>`));
      await studio.process(svg(style));
      expect(connections).toBe(0);
    } finally {
      server.close();
      await once(server, 'close');
    }
  });

  test('shows no file, outside its slot or in it', async () => {
    const blue = join(studio.dir, 'blue.png');
    await writeFile(blue, await solid([0, 0, 255]).png().toBuffer());
    try {
      for (const href of [
        blue,
        `file://${blue}`,
        '../../blue.png',
        '../blue.png',
        'blue.png',
        './blue.png',
        'source',
        '/proc/self/environ',
      ]) {
        const { files } = await studio.process(
          svg(`<image href="${href}" xlink:href="${href}" width="200" height="100"/>`),
        );
        await expectColour(files.get('w200.jpg')!, RED, 6);
      }
    } finally {
      await rm(blue);
    }
  });

  test('with external or exploding entities is refused or drawn without them, quickly', async () => {
    const lol = Array.from({ length: 12 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
    const bomb = Buffer.from(
      `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "lol">${lol}]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&l12;</text></svg>`,
    );
    const passwd = Buffer.from(
      `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&x;</text></svg>`,
    );
    const started = performance.now();
    expect(await failureOf(studio.process(bomb))).toMatchObject({ code: 'DAMAGED_FILE' });
    await studio.process(passwd).catch((error: unknown) => expect(error).toMatchObject({ code: 'DAMAGED_FILE' }));
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('of a size without bounds is refused', async () => {
    const error = await failureOf(studio.process(svg('', 'width="1000000" height="1000000"')));
    expect(error).toMatchObject({ code: expect.stringMatching(/^(LIMIT_SIDE|DAMAGED_FILE)$/) });
  });
});

describe('bombs are refused by their header', () => {
  /** One bit a pixel, all of them black. */
  function hugePng(side: number): Buffer {
    const chunk = (type: string, data: Buffer): Buffer => {
      const body = Buffer.concat([Buffer.from(type), data]);
      const frame = Buffer.alloc(8);
      frame.writeUInt32BE(data.length, 0);
      frame.writeUInt32BE(crc32(body), 4);
      return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
    };
    const header = Buffer.alloc(13);
    header.writeUInt32BE(side, 0);
    header.writeUInt32BE(side, 4);
    header[8] = 1;
    const rows = deflateSync(Buffer.alloc((side / 8 + 1) * side));
    const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
  }

  test('a small PNG of 12,000 x 12,000', async () => {
    const bytes = hugePng(12_000);
    expect(bytes.length).toBeLessThan(100_000);
    // Decoding it would end in DECODER_LIMIT.
    expect(await failureOf(studio.process(bytes))).toMatchObject({
      code: 'LIMIT_PIXELS',
      message: expect.stringContaining('144.0 million'),
    });
  });

  test('an icon whose entry hides a large PNG', async () => {
    const png = hugePng(12_000);
    const head = Buffer.alloc(22);
    head.set([0, 0, 1, 0, 1, 0, 16, 16]);
    head.writeUInt32LE(png.length, 14);
    head.writeUInt32LE(22, 18);
    const error = await failureOf(studio.process(Buffer.concat([head, png])));
    expect(error).toMatchObject({ code: 'LIMIT_PIXELS' });
  });

  test('a BMP that claims 40 bits a pixel is damaged', async () => {
    const bmp = Buffer.alloc(100_054);
    bmp.write('BM');
    bmp.writeUInt32LE(bmp.length, 2);
    bmp.writeUInt32LE(54, 10);
    bmp.writeUInt32LE(40, 14);
    bmp.writeInt32LE(100, 18);
    bmp.writeInt32LE(100, 22);
    bmp.writeUInt16LE(1, 26);
    bmp.writeUInt16LE(40, 28);
    expect(await failureOf(studio.process(bmp))).toMatchObject({ code: 'DAMAGED_FILE' });
  });
});
