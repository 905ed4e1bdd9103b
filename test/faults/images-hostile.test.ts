/** Files made to harm: they are refused from their header, or bounded by their process, and carry nothing outside. */
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import sharp from 'sharp';

import { MediaError } from '../../src/contracts/errors.js';
import { openStudio, type Studio } from '../activities/image/studio.js';
import { BOMBS, pngChunk } from '../support/bombs.js';
import { pdf, scene } from '../support/pictures.js';
import { createWitness, decoded } from '../support/witness.js';

// Some of them go to the end of their time, twice.
jest.setTimeout(180_000);

const SECONDS = 10;
const witness = createWitness();
let dir: string;
let studio: Studio;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-hostile-'));
  studio = await openStudio(dir, { imageSeconds: SECONDS }, { slots: 1, around: (spawn) => witness.around(spawn) });
});
afterAll(async () => {
  await studio.tools.close();
  expect(await readdir(dir)).toEqual([]);
  await rm(dir, { recursive: true });
});
beforeEach(() => witness.forget());

const photo = (): Promise<Buffer> =>
  sharp(scene(64, 48), { raw: { width: 64, height: 48, channels: 3 } })
    .jpeg()
    .toBuffer();

async function verdictOf(bytes: Buffer): Promise<{ verdict: string; message: string }> {
  try {
    await studio.process(bytes);
    return { verdict: 'ready', message: '' };
  } catch (error) {
    if (!MediaError.is(error)) throw error;
    return { verdict: error.code, message: error.message };
  }
}

describe('a bomb', () => {
  test.each(BOMBS.map((bomb) => [bomb.name, bomb] as const))('%s', async (_name, { make, verdict, fromHeader }) => {
    const found = await verdictOf(await make());
    expect(found.verdict).toMatch(verdict);
    if (fromHeader) {
      expect(decoded(witness)).toBe(false);
      // With both numbers: what it has, and what is allowed.
      if (found.verdict.startsWith('LIMIT_')) expect(found.message).toMatch(/\d.* \d[\d,.]* .*allowed/);
    }
    // Whatever it did, the next one is served.
    expect(await verdictOf(await photo())).toEqual({ verdict: 'ready', message: '' });
  });
});

describe('a file of two kinds', () => {
  const SCRIPT = '<script>alert("mediamill")</script>';
  const behind = async (picture: Promise<Buffer>, tail: string): Promise<Buffer> =>
    Buffer.concat([await picture, Buffer.from(tail)]);
  /** ITU-T T.81, B.2.4.5: the length counts itself. */
  const inComment = async (jpeg: Promise<Buffer>, text: string): Promise<Buffer> => {
    const bytes = await jpeg;
    const segment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, text.length + 2]), Buffer.from(text)]);
    return Buffer.concat([bytes.subarray(0, 2), segment, bytes.subarray(2)]);
  };
  /** Behind IHDR, which is 33 bytes from the start. */
  const inText = async (png: Promise<Buffer>, text: string): Promise<Buffer> => {
    const bytes = await png;
    return Buffer.concat([
      bytes.subarray(0, 33),
      pngChunk('tEXt', Buffer.from(`Comment\0${text}`)),
      bytes.subarray(33),
    ]);
  };

  test.each([
    // The comment opens in the screen's size and closes behind the picture.
    ['a GIF that is JavaScript', () => gifOfSize(0x2a2f, `*/=1;alert("mediamill");//${SCRIPT}`)],
    ['a JPEG with a PDF behind it', () => behind(photo(), `%PDF-1.4\n${SCRIPT}`)],
    ['a JPEG with a PDF in a comment', () => inComment(photo(), `%PDF-1.4\n${SCRIPT}`)],
    ['a PNG with a page in its text', () => inText(as('png'), SCRIPT)],
    ['a WebP with a zip file behind it', () => behind(as('webp'), `PK\x03\x04${SCRIPT}`)],
    ['an AVIF with a page behind it', () => behind(as('avif'), `\0\0\0\x60free${SCRIPT}`)],
    ['a PDF with a page behind it', async () => behind(Promise.resolve(pdf(await photo())), SCRIPT)],
  ])('%s leaves nothing of the other kind', async (_name, make) => {
    const bytes = await make();
    expect(bytes.includes('mediamill')).toBe(true);
    const { files } = await studio.process(bytes);
    for (const made of files.values()) {
      for (const trace of ['mediamill', 'script', '%PDF', 'PK\x03\x04']) expect(made.includes(trace)).toBe(false);
    }
  });

  const as = (format: 'png' | 'webp' | 'avif'): Promise<Buffer> =>
    photo().then((bytes) => sharp(bytes).toFormat(format).toBuffer());

  /** Wide as its first two bytes want it, and low, so that it stays within the limits. */
  async function gifOfSize(width: number, tail: string): Promise<Buffer> {
    const bytes = await sharp({ create: { width, height: 8, channels: 3, background: 'teal' } })
      .gif()
      .toBuffer();
    expect(bytes.toString('latin1', 6, 8)).toBe('/*');
    return Buffer.concat([bytes, Buffer.from(tail)]);
  }
});

describe('text under the name of a picture is given to nobody', () => {
  test.each([
    ['a playlist', '#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n'],
    ['a list of files', "ffconcat version 1.0\nfile '/etc/passwd'\n"],
    ['MVG', 'push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 0,0 "label:@/etc/passwd"\npop graphic-context\n'],
    ['MSL', '<?xml version="1.0"?><image><read filename="/etc/passwd"/><write filename="x.png"/></image>'],
    ['PostScript', '%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n'],
    ['XPM', '/* XPM */\nstatic char *x[] = {"1 1 1 1", "a c #fff", "a"};\n'],
    ['an HTML page', '<!doctype html><script>alert(1)</script>'],
  ])('%s', async (_name, text) => {
    expect((await verdictOf(Buffer.from(text))).verdict).toMatch(/^UNSUPPORTED_(TYPE|FORMAT)$/);
    expect(witness.asked).toEqual([]);
  });
});

describe('a drawing', () => {
  const RED = '<rect width="100%" height="100%" fill="#ff0000"/>';
  const svg = (content: string, start = '', attributes = ''): Buffer =>
    Buffer.from(
      `${start}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
        `width="64" height="48" ${attributes}>${RED}${content}</svg>`,
    );
  const inside = (content: string, href: (data: string) => string): string =>
    href(`data:image/svg+xml;base64,${svg(content).toString('base64')}`);
  const image = (href: string): string => `<image href="${href}" xlink:href="${href}" width="64" height="48"/>`;
  const secret = (): string => join(dir, 'secret.png');

  beforeAll(async () => {
    await sharp({ create: { width: 64, height: 48, channels: 3, background: 'blue' } })
      .png()
      .toFile(secret());
  });
  afterAll(() => rm(secret()));

  /** Only the red that is its own; or it is refused. */
  async function expectRed(bytes: Buffer): Promise<void> {
    const outcome = await studio.process(bytes).catch((error: unknown) => {
      if (!MediaError.is(error)) throw error;
      return error.code;
    });
    if (typeof outcome === 'string') return expect(outcome).toBe('DAMAGED_FILE');
    for (const made of outcome.files.values()) {
      const { channels } = await sharp(made).stats();
      const [red, green, blue] = channels.map(({ min, max }) => [min, max] as const);
      expect(red![0]).toBeGreaterThan(230);
      expect(Math.max(green![1], blue![1])).toBeLessThan(25);
      for (const trace of ['script', 'onload', 'root:']) expect(made.includes(trace)).toBe(false);
    }
  }

  test.each([
    ['scripts', () => svg('<script>document.documentElement.innerHTML="";</script>', '', 'onload="alert(1)"')],
    ['links of javascript:', () => svg('<a href="javascript:alert(1)"><rect onclick="alert(1)"/></a>')],
    [
      'a foreign page',
      () => svg('<foreignObject width="9" height="9"><iframe src="file:///etc/passwd"/></foreignObject>'),
    ],
    ['a file by its path', () => svg(image(secret()))],
    ['a file by its URL', () => svg(image(`file://${secret()}`))],
    ['a file through the picture inside it', () => svg(inside(image(`file://${secret()}`), image))],
    [
      'a file through three pictures inside each other',
      () => svg(inside(inside(inside(image(secret()), image), image), image)),
    ],
    ['a file as a style sheet', () => svg('', `<?xml-stylesheet href="file://${secret()}"?>`)],
    [
      'a file as a filter',
      () =>
        svg(
          `<filter id="f"><feImage href="file://${secret()}"/></filter><rect width="64" height="48" fill="none" filter="url(#f)"/>`,
        ),
    ],
    [
      'a file as an entity',
      () => svg('<text y="20" fill="blue">&x;</text>', '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    ],
    ['a file as a parameter entity', () => svg('', '<!DOCTYPE svg [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>')],
    [
      'a file by XInclude',
      () => svg('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'),
    ],
    ['itself', () => svg(image('source'))],
  ])('that asks for %s shows its own content alone', async (_name, make) => {
    await expectRed(make());
  });

  test('reaches no server, however it asks', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    try {
      await expectRed(svg(image(`${url}.png`)));
      await expectRed(svg(inside(image(`${url}.svg`), image)));
      await expectRed(svg(`<style>@import url("${url}.css");</style>`, `<?xml-stylesheet href="${url}.css"?>`));
      await expectRed(svg('', `<!DOCTYPE svg SYSTEM "${url}.dtd">`));
      await expectRed(svg('', `<!DOCTYPE svg [<!ENTITY % x SYSTEM "${url}.ent"> %x;]>`));
      expect(connections).toBe(0);
    } finally {
      server.close();
      await once(server, 'close');
    }
  });
});
