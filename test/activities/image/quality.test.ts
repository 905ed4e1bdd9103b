/** What the variants look like beside what they should: likeness, colours, orientation, transparency, crops, budgets. */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import {} from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp, { type Sharp } from 'sharp';

import { loadProfiles } from '../../../src/config/index.js';
import type { FocalPoint } from '../../../src/contracts/image.js';
import type { ImageSpec } from '../../../src/contracts/profile.js';
import type { PictureFacts } from '../../../src/media/image/plan.js';
import { deltaE, photo, rasterOf, ssim, toLab, type Raster, type Rgb } from '../../support/likeness.js';
import { useStudio } from './support.js';

// Real decoders, on a machine that has other tests to run.
jest.setTimeout(60_000);

const studio = useStudio();

const DEFAULT = loadProfiles('').get('default').image;

async function make(source: Buffer, spec: Partial<ImageSpec> = {}, focal?: FocalPoint, facts?: Partial<PictureFacts>) {
  const { files, plan } = await studio.process(source, { ...DEFAULT, ...spec }, focal, facts);
  const file = (name: string): Buffer => {
    const found = files.get(name);
    if (!found) throw new Error(`no ${name} among ${[...files.keys()].join(', ')}`);
    return found;
  };
  return { file, plan };
}

const toImage = ({ data, width, height, channels }: Raster): Sharp =>
  sharp(data, { raw: { width, height, channels: channels as 3 | 4 } });

/** Planned as if something were transparent: PNG for JPEG, which loses nothing. */
const lossless = (source: Buffer, spec: Partial<ImageSpec> = {}, focal?: FocalPoint) =>
  make(source, spec, focal, { hasAlpha: true });

function convert(...args: string[]): Promise<unknown> {
  return promisify(execFile)('convert', args);
}

describe('likeness to a reference resize', () => {
  const WIDTHS = [160, 320, 640, 1000];
  let source: Raster;
  let references: Map<number, Raster>;
  beforeAll(async () => {
    source = await photo(1200, 900);
    const whole = join(studio.dir, 'whole.png');
    await toImage(source).png().toFile(whole);
    const made = WIDTHS.map(async (width) => {
      const resized = join(studio.dir, `reference-${width}.png`);
      await convert(whole, '-filter', 'Lanczos', '-resize', `${width}x`, resized);
      return [width, await rasterOf(await readFile(resized))] as const;
    });
    references = new Map(await Promise.all(made));
  });

  test('without loss: scaling, step by step too, does as well as ImageMagick from the whole', async () => {
    const { file } = await lossless(await toImage(source).png().toBuffer(), { widths: WIDTHS });
    for (const width of WIDTHS) {
      expect(ssim(await rasterOf(file(`w${width}.png`)), references.get(width)!)).toBeGreaterThan(0.985);
    }
  });

  test('a smaller one made from a larger one is like one made from the whole', async () => {
    const { file } = await lossless(await toImage(source).png().toBuffer(), { widths: WIDTHS });
    for (const width of WIDTHS) {
      const direct = await toImage(source).resize(width).raw().toBuffer({ resolveWithObject: true });
      const { data, info } = direct;
      const reference = { data, width: info.width, height: info.height, channels: info.channels };
      expect(ssim(await rasterOf(file(`w${width}.png`)), reference)).toBeGreaterThan(0.99);
    }
  });

  test.each([
    ['jpg', 0.95],
    ['webp', 0.93],
    ['avif', 0.93],
  ] as const)('%s as shipped is above %d', async (extension, least) => {
    const { file } = await make(await toImage(source).png().toBuffer(), { widths: WIDTHS });
    for (const width of WIDTHS) {
      expect(ssim(await rasterOf(file(`w${width}.${extension}`)), references.get(width)!)).toBeGreaterThan(least);
    }
  });
});

describe('colours', () => {
  /** Inside of sRGB. */
  const WITHIN: readonly Rgb[] = [
    [200, 100, 60],
    [60, 120, 90],
    [40, 70, 160],
    [128, 128, 128],
    [245, 235, 220],
    [20, 20, 24],
  ];
  /** What sRGB can not show. */
  const BEYOND: readonly Rgb[] = [
    [255, 0, 0],
    [0, 255, 0],
    [255, 130, 0],
  ];
  /** P3 numbers with the profile beside them. sharp takes 16 bits without a profile for Display P3. */
  const inP3 = ([r, g, b]: Rgb, sixteen: boolean): Promise<Buffer> => {
    const image = sharp({ create: { width: 60, height: 40, channels: 4, background: { r, g, b, alpha: 1 } } })
      .pipelineColourspace('rgb16')
      .withIccProfile('p3');
    return (sixteen ? image.toColourspace('rgb16') : image).png().toBuffer();
  };
  const firstPixel = async (bytes: Buffer): Promise<Rgb> => {
    const { data } = await rasterOf(bytes);
    return [data[0]!, data[1]!, data[2]!];
  };

  describe.each([
    ['8 bits', false],
    ['16 bits', true],
  ])('Display P3 of %s', (_name, sixteen) => {
    test('becomes sRGB within 1 (CIE76)', async () => {
      for (const colour of WITHIN) {
        const { file } = await lossless(await inP3(colour, sixteen));
        const found = toLab(await firstPixel(file('w60.png')), 'srgb');
        expect(deltaE(found, toLab(colour, 'p3'))).toBeLessThan(1);
        expect((await sharp(file('w60.webp')).metadata()).icc).toBeUndefined();
      }
    });

    test('stays Display P3 where the profile says so, what sRGB can not show too, with the profile in the file', async () => {
      for (const colour of [...WITHIN, ...BEYOND]) {
        const { file } = await lossless(await inP3(colour, sixteen), { colours: 'p3', keepCopyright: true });
        for (const [name, within] of [
          ['w60.png', 1],
          ['w60.webp', 5],
          ['w60.avif', 7],
          ['thumb.jpg', 5],
        ] as const) {
          const found = toLab(await firstPixel(file(name)), 'p3');
          expect(deltaE(found, toLab(colour, 'p3'))).toBeLessThan(within);
          expect((await sharp(file(name)).metadata()).icc).toBeDefined();
        }
      }
    });
  });

  test('of a source in sRGB are sRGB without a profile, whatever the profile says', async () => {
    const source = sharp({ create: { width: 60, height: 40, channels: 3, background: 'red' } });
    const { file } = await make(await source.withIccProfile('srgb').png().toBuffer(), { colours: 'p3' });
    expect((await sharp(file('w60.webp')).metadata()).icc).toBeUndefined();
    expect(deltaE(toLab(await firstPixel(file('w60.jpg')), 'srgb'), toLab([255, 0, 0], 'srgb'))).toBeLessThan(2);
  });

  test('of CMYK are within 4 (CIE76) of what ImageMagick makes of them by the same profiles', async () => {
    const patches = sharp({ create: { width: 400, height: 100, channels: 3, background: '#808080' } }).composite(
      ['#b45a5a', '#5a78a0', '#dcc8b4'].map((background, i) => ({
        input: { create: { width: 100, height: 100, channels: 3, background } },
        left: i * 100,
        top: 0,
      })),
    );
    const flat = await patches.png().toBuffer();
    const source = await sharp(flat).toColourspace('cmyk').withIccProfile('cmyk').jpeg({ quality: 100 }).toBuffer();
    const [press, screen] = await Promise.all([
      sharp(source).metadata(),
      sharp(await sharp(flat).withIccProfile('srgb').png().toBuffer()).metadata(),
    ]);
    const path = (name: string): string => join(studio.dir, name);
    await writeFile(path('cmyk.jpg'), source);
    await writeFile(path('press.icc'), press.icc!);
    await writeFile(path('screen.icc'), screen.icc!);
    const profiles = ['+profile', '*', '-profile', path('press.icc'), '-profile', path('screen.icc')];
    await convert(path('cmyk.jpg'), '-intent', 'perceptual', ...profiles, path('rgb.png'));
    const expected = await rasterOf(await readFile(path('rgb.png')));
    const { file } = await make(source);
    for (const name of ['w400.jpg', 'w400.webp', 'w400.avif']) {
      const found = await rasterOf(file(name));
      for (let patch = 0; patch < 4; patch++) {
        const at = (raster: Raster): Rgb => {
          const offset = (50 * 400 + patch * 100 + 50) * raster.channels;
          return [raster.data[offset]!, raster.data[offset + 1]!, raster.data[offset + 2]!];
        };
        expect(deltaE(toLab(at(found), 'srgb'), toLab(at(expected), 'srgb'))).toBeLessThan(4);
      }
    }
  });

  test('of grey follow its own profile', async () => {
    // A profile whose grey is linear: half of the light is 188 in sRGB.
    const path = (name: string): string => join(studio.dir, name);
    await writeFile(path('linear.icc'), linearGrey());
    await sharp({ create: { width: 60, height: 40, channels: 3, background: '#808080' } })
      .toColourspace('b-w')
      .png()
      .toFile(path('grey.png'));
    await convert(path('grey.png'), '-profile', path('linear.icc'), path('linear.png'));
    const { file } = await make(await readFile(path('linear.png')));
    for (const value of await firstPixel(file('w60.jpg'))) expect(Math.abs(value - 188)).toBeLessThan(3);
  });

  test('of a TIFF with spot channels are its colours alone', async () => {
    const raw = { width: 60, height: 40, channels: 1 } as const;
    const empty = Buffer.alloc(60 * 40);
    const picture = sharp({ create: { width: 60, height: 40, channels: 3, background: '#c86432' } });
    const { file } = await make(
      await picture.joinChannel([empty, empty], { raw }).tiff({ compression: 'lzw' }).toBuffer(),
    );
    for (const name of ['w60.webp', 'thumb.jpg']) {
      const found = toLab(await firstPixel(file(name)), 'srgb');
      expect(deltaE(found, toLab([200, 100, 50], 'srgb'))).toBeLessThan(4);
    }
  });

  test('of an Ultra HDR photograph are those of its base picture', async () => {
    const red = await sharp({ create: { width: 60, height: 40, channels: 3, background: 'red' } })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><a hdrgm="1.0"/></x:xmpmeta>')
      .jpeg()
      .toBuffer();
    const gain = await sharp({ create: { width: 30, height: 20, channels: 3, background: 'blue' } })
      .jpeg()
      .toBuffer();
    const { file, plan } = await make(Buffer.concat([red, gain]));
    expect(plan).toMatchObject({ width: 60, height: 40 });
    expect(deltaE(toLab(await firstPixel(file('w60.jpg')), 'srgb'), toLab([255, 0, 0], 'srgb'))).toBeLessThan(2);
  });
});

describe('orientation', () => {
  const [WIDTH, HEIGHT] = [96, 64];
  /** Where the stored pixel of column x, row y is displayed. EXIF 2.32, 4.6.4, tag 274. */
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

  test('of all eight: the same pixels, at the own size', async () => {
    const upright = await photo(WIDTH, HEIGHT);
    for (const [i, displayed] of DISPLAYED.entries()) {
      const [width, height] = i < 4 ? [WIDTH, HEIGHT] : [HEIGHT, WIDTH];
      const laid = Buffer.alloc(upright.data.length);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const [column, row] = displayed(x, y);
          const from = (row * WIDTH + column) * 3;
          upright.data.copy(laid, (y * width + x) * 3, from, from + 3);
        }
      }
      const source = toImage({ data: laid, width, height, channels: 3 }).withMetadata({ orientation: i + 1 });
      const { file, plan } = await lossless(await source.png().toBuffer());
      expect(plan).toMatchObject({ width: WIDTH, height: HEIGHT });
      const shown = await sharp(file('w96.png')).removeAlpha().png().toBuffer();
      expect((await rasterOf(shown)).data.equals(upright.data)).toBe(true);
    }
  });
});

describe('transparency', () => {
  test('is kept: as it is in PNG and WebP, within 6 of 255 in AVIF', async () => {
    const [width, height] = [256, 64];
    const pixels = Buffer.alloc(width * height * 4);
    for (let i = 0; i < width * height; i++) pixels.set([200, 60, 30, i % width], i * 4);
    const source = await sharp(pixels, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer();
    const { file } = await make(source);
    for (const [name, within] of [
      ['w256.png', 0],
      ['w256.webp', 0],
      ['w256.avif', 6],
    ] as const) {
      const { data, channels } = await rasterOf(file(name));
      expect(channels).toBe(4);
      for (let x = 0; x < width; x++) expect(Math.abs(data[(32 * width + x) * 4 + 3]! - x)).toBeLessThanOrEqual(within);
    }
  });
});

test('a channel for transparency alone makes no PNG of a JPEG, and is left out', async () => {
  const opaque = toImage(await photo(60, 40)).ensureAlpha();
  for (const source of [await opaque.png().toBuffer(), await opaque.webp({ lossless: true }).toBuffer()]) {
    const { file, plan } = await make(source);
    expect(plan.hasAlpha).toBe(false);
    for (const name of ['w60.jpg', 'w60.webp', 'w60.avif']) {
      expect((await sharp(file(name)).metadata()).hasAlpha).toBe(false);
    }
  }
  const { data, width, height } = await photo(60, 40);
  const pixels = await toImage({ data, width, height, channels: 3 }).ensureAlpha().raw().toBuffer();
  pixels[pixels.length - 1] = 254;
  const { plan } = await make(await toImage({ data: pixels, width, height, channels: 4 }).png().toBuffer());
  expect(plan).toMatchObject({ hasAlpha: true });
  expect(plan.variants.map(({ name }) => name)).toContain('w60.png');
});

describe('fixed sizes', () => {
  const BLUE: Rgb = [0, 0, 255];
  const sizes = (...specs: ImageSpec['sizes']): Partial<ImageSpec> => ({ widths: [], sizes: specs });
  /** Blue on the right of a grey picture three times as wide as high, with a pattern that draws the eye. */
  async function subject(): Promise<Buffer> {
    const pixels = Buffer.alloc(900 * 300 * 4, 128);
    for (let y = 0; y < 300; y++) {
      for (let x = 0; x < 900; x++) {
        const inside = x >= 660 && x < 840 && y >= 60 && y < 240;
        const blue = inside && (x >> 4) % 2 === (y >> 4) % 2;
        pixels.set(inside ? (blue ? [0, 0, 255, 255] : [255, 220, 0, 255]) : [128, 128, 128, 255], (y * 900 + x) * 4);
      }
    }
    return sharp(pixels, { raw: { width: 900, height: 300, channels: 4 } })
      .png()
      .toBuffer();
  }
  const blueAcross = async (bytes: Buffer): Promise<number[]> => {
    const { data, width, channels } = await rasterOf(bytes);
    const columns = new Set<number>();
    for (let at = 0; at < data.length; at += channels) {
      if (data[at]! < 60 && data[at + 2]! > 200) columns.add((at / channels) % width);
    }
    return [...columns].sort((a, b) => a - b);
  };

  test('crop to the middle, to where most is to be seen, and around a point', async () => {
    const square = { width: 100, height: 100, fit: 'cover' } as const;
    const spec = sizes(
      { ...square, name: 'middle', position: 'centre' },
      { ...square, name: 'smart', position: 'smart' },
      { ...square, name: 'focal', position: 'focal' },
    );
    const { file } = await lossless(await subject(), spec, { x: 750 / 900, y: 0.5 });
    expect(await blueAcross(file('middle.png'))).toEqual([]);
    const [focal, smart] = [await blueAcross(file('focal.png')), await blueAcross(file('smart.png'))];
    // 180 of 300 pixels, in the middle of the crop.
    expect(focal[0]).toBeGreaterThan(15);
    expect(focal.at(-1)).toBeLessThan(85);
    expect(focal.length).toBeGreaterThan(45);
    expect(smart.length).toBeGreaterThan(45);
    // Without a point, the middle.
    const { file: without } = await lossless(await subject(), spec);
    expect((await rasterOf(without('focal.png'))).data.equals((await rasterOf(without('middle.png'))).data)).toBe(true);
  });

  test('that contain pad: transparent, white in JPEG, the picture in the middle', async () => {
    const source = await sharp({ create: { width: 200, height: 100, channels: 3, background: 'blue' } })
      .png()
      .toBuffer();
    const { file } = await make(source, sizes({ name: 'box', width: 100, height: 100, fit: 'contain' }));
    const at = async (name: string, y: number) => {
      const { data, width, channels } = await rasterOf(file(name));
      return [...data.subarray((y * width + 50) * channels, (y * width + 50) * channels + channels)];
    };
    for (const name of ['box.webp', 'box.avif']) {
      expect((await at(name, 10))[3]).toBeLessThan(6);
      expect((await at(name, 90))[3]).toBeLessThan(6);
      expect((await at(name, 50))[3]).toBeGreaterThan(249);
      const [r, g, b] = await at(name, 50);
      expect(deltaE(toLab([r!, g!, b!], 'srgb'), toLab(BLUE, 'srgb'))).toBeLessThan(8);
    }
    for (const y of [5, 95]) for (const value of await at('box.jpg', y)) expect(value).toBeGreaterThan(250);
    expect((await at('box.jpg', 50))[2]).toBeGreaterThan(245);
  });

  test.each([
    [1, 20_000],
    [20_000, 1],
    [1, 1],
    [9000, 3],
  ])('are cut out of %dx%d before they are enlarged', async (width, height) => {
    const square = { width: 400, height: 400, fit: 'cover' } as const;
    const spec = sizes(
      { ...square, name: 'middle' },
      { ...square, name: 'smart', position: 'smart' },
      { ...square, name: 'focal', position: 'focal' },
      { ...square, name: 'box', fit: 'contain' },
    );
    const source = sharp({ create: { width, height, channels: 3, background: 'blue' } });
    const { file } = await make(await source.png().toBuffer(), spec, { x: 1, y: 0 });
    for (const name of ['middle.jpg', 'smart.webp', 'focal.avif', 'box.webp']) {
      const { data, width: wide, height: high, channels } = await rasterOf(file(name));
      const at = (200 * 400 + 200) * channels;
      expect([wide, high]).toEqual([400, 400]);
      // Of a line there is hardly anything to be seen in a box.
      if (name === 'box.webp') continue;
      expect(deltaE(toLab([data[at]!, data[at + 1]!, data[at + 2]!], 'srgb'), toLab(BLUE, 'srgb'))).toBeLessThan(12);
    }
  });

  test('are exact for pictures that are smaller', async () => {
    const tiny = await sharp({ create: { width: 3, height: 2, channels: 3, background: 'blue' } })
      .png()
      .toBuffer();
    const box = { name: 'box', width: 64, height: 48, fit: 'contain' } as const;
    const { file } = await make(tiny, sizes(box, { ...box, name: 'cut', fit: 'cover', position: 'focal' }), {
      x: 1,
      y: 0,
    });
    for (const name of ['box.jpg', 'cut.avif', 'cut.webp']) {
      expect(await sharp(file(name)).metadata()).toMatchObject({ width: 64, height: 48 });
    }
  });
});

test('a budget holds for every variant, and little of it is wasted', async () => {
  const source = await toImage(await photo(800, 600))
    .png()
    .toBuffer();
  const spec: Partial<ImageSpec> = { widths: [320, 640], maxKiB: 12 };
  const [{ file, plan }, { file: free }] = [await make(source, spec), await make(source, { ...spec, maxKiB: 'off' })];
  for (const { name } of plan.variants) {
    expect(file(name).length).toBeLessThanOrEqual(12 * 1024);
    if (free(name).length <= 12 * 1024) expect(file(name).equals(free(name))).toBe(true);
    else expect(file(name).length).toBeGreaterThan(9 * 1024);
  }
  const { file: clear } = await lossless(source, { ...spec, maxKiB: 40 });
  expect(clear('w320.png').length).toBeLessThanOrEqual(40 * 1024);
});

test('copyright is kept by choice, and nothing else with it', async () => {
  const source = await toImage(await photo(60, 40))
    .withExif({
      IFD0: { Copyright: '(C) A. Person', Artist: 'Nobody to be named', Make: 'Camera' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' },
    })
    .jpeg()
    .toBuffer();
  const { file, plan } = await make(source, { keepCopyright: true });
  for (const { name } of plan.variants) {
    expect(file(name).includes('(C) A. Person')).toBe(true);
    for (const trace of ['Nobody', 'Camera']) expect(file(name).includes(trace)).toBe(false);
  }
});

describe('animations', () => {
  const COLOURS: readonly Rgb[] = [
    [255, 0, 0],
    [0, 200, 0],
    [0, 0, 255],
  ];
  const DELAYS = [50, 120, 300];
  const frames = Buffer.concat(
    COLOURS.map((colour) => Buffer.concat(Array.from({ length: 80 * 60 }, () => Buffer.from(colour)))),
  );

  test.each(['gif', 'webp'] as const)('of %s keep their frames, times and repetitions, smaller', async (format) => {
    const raw = { width: 80, height: 180, channels: 3, pageHeight: 60 } as const;
    const source = await sharp(frames, { raw }).toFormat(format, { delay: DELAYS, loop: 3 }).toBuffer();
    const { file, plan } = await make(source, { animation: { webp: true, loops: ['mp4'], maxWidth: 40 } });
    expect(plan).toMatchObject({ frames: 3, width: 80, height: 60, loops: [{ width: 40, height: 30 }] });
    const made = file('animation.webp');
    const { pages, delay, loop, width, height } = await sharp(made).metadata();
    expect({ pages, delay, loop, width, height }).toEqual({ pages: 3, delay: DELAYS, loop: 3, width: 40, height: 30 });
    for (const [page, colour] of COLOURS.entries()) {
      const { data } = await sharp(made, { page }).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      expect(deltaE(toLab([data[0]!, data[1]!, data[2]!], 'srgb'), toLab(colour, 'srgb'))).toBeLessThan(8);
    }
  });
});

test('a budget holds for an animation too, also where its first frames must stand for all', async () => {
  const [side, frames] = [256, 80];
  const { data } = await photo(side, side + frames);
  const film = Buffer.concat(
    Array.from({ length: frames }, (_, i) => data.subarray(i * side * 3, (i + side) * side * 3)),
  );
  const raw = { width: side, height: side * frames, channels: 3, pageHeight: side } as const;
  const source = await sharp(film, { raw })
    .webp({ quality: 90, effort: 0, delay: Array(frames).fill(40) })
    .toBuffer();
  const animation = { ...DEFAULT.animation, loops: [] };
  const spec = { widths: [32], formats: ['jpeg' as const], maxKiB: 256, animation };
  expect(side * side * frames).toBeGreaterThan(4e6);
  const made = (await make(source, spec)).file('animation.webp');
  expect(made.length).toBeLessThanOrEqual(256 * 1024);
  expect(made.length).toBeGreaterThan(128 * 1024);
  expect((await sharp(made).metadata()).pages).toBe(frames);
});

/** ICC.1:2022: a grey profile of version 2 with a curve of gamma 1. */
function linearGrey(): Buffer {
  const tags: readonly (readonly [string, Buffer])[] = [
    ['desc', Buffer.concat([Buffer.from('desc\0\0\0\0\0\0\0\x05grey\0'), Buffer.alloc(78)])],
    ['cprt', Buffer.from('text\0\0\0\0none\0')],
    ['wtpt', Buffer.from('58595a20000000000000f6d6000100000000d32d', 'hex')],
    ['kTRC', Buffer.from('637572760000000000000000', 'hex')],
  ];
  const table = Buffer.alloc(4 + tags.length * 12);
  table.writeUInt32BE(tags.length);
  const parts: Buffer[] = [];
  let offset = 128 + table.length;
  for (const [i, [name, data]] of tags.entries()) {
    const padded = Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
    table.write(name, 4 + i * 12, 'latin1');
    table.writeUInt32BE(offset, 8 + i * 12);
    table.writeUInt32BE(data.length, 12 + i * 12);
    parts.push(padded);
    offset += padded.length;
  }
  const header = Buffer.alloc(128);
  header.writeUInt32BE(offset);
  header.writeUInt32BE(0x02400000, 8);
  header.write('mntrGRAYXYZ ', 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  Buffer.from('0000f6d6000100000000d32d', 'hex').copy(header, 68);
  return Buffer.concat([header, table, ...parts]);
}
