import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpawnSandboxed } from '../../src/tools/child.js';
import { runMagick } from '../../src/tools/imagemagick/run.js';
import { createSpawner } from '../../src/tools/spawn.js';
import { ToolError } from '../../src/tools/tool-error.js';
import { bestHost, failureOf, inScratch, LIMITS } from './support.js';

jest.setTimeout(60_000);

let spawn: SpawnSandboxed;
beforeAll(async () => {
  spawn = createSpawner(await bestHost());
});

const convert = (scratch: string, ...args: string[]) => runMagick(spawn, { args, scratch, limits: LIMITS });

/** A picture in a format that our policy lets be read, not written: its bytes by hand. */
const BMP = Buffer.concat([
  Buffer.from('BM'),
  Buffer.from(new Uint32Array([58, 0, 54, 40, 1, 1]).buffer),
  Buffer.from(new Uint16Array([1, 24]).buffer),
  Buffer.from(new Uint32Array([0, 4, 0, 0, 0, 0]).buffer),
  Buffer.from([0, 0, 255, 0]),
]);

describe('ImageMagick under our policy', () => {
  test.each([
    ['tiff', 'TIFF:./source'],
    ['ppm', 'PPM:./source'],
    ['jpeg', 'JPEG:./source'],
    ['webp', 'WEBP:./source'],
  ])('reads %s', async (_format, source) => {
    await inScratch(async (scratch) => {
      await convert(scratch, '-size', '64x48', 'xc:red', source);
      await convert(scratch, `${source}[0]`, '-resize', '32x32', 'PNG:./out.png');
      expect((await readFile(join(scratch, 'out.png'))).subarray(1, 4).toString()).toBe('PNG');
      // The temporary files of its own are gone too.
      expect(await readdir(scratch)).toEqual(['out.png', 'source']);
    });
  });

  test('reads a bitmap, and writes none', async () => {
    await inScratch(async (scratch) => {
      await writeFile(join(scratch, 'source'), BMP);
      const { stdout } = await convert(scratch, 'BMP:./source', '-format', '%wx%h %[pixel:p{0,0}]', 'INFO:-');
      expect(stdout).toMatch(/^1x1 (red|s?rgb\(255,0,0\))/);
      await expect(failureOf(convert(scratch, 'BMP:./source', 'BMP:./out.bmp'))).resolves.toMatchObject({
        stderr: expect.stringContaining('not allowed by the security policy'),
      });
    });
  });

  const SECRET = 'beware';
  test.each([
    ['MVG', "push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 0,0 'label:x'\npop graphic-context", 'MVG:./source'],
    ['MSL', '<image><read filename="xc:red"/><write filename="./out.png"/></image>', 'MSL:./source'],
    [
      'SVG',
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
      'SVG:./source',
    ],
    [
      'SVG unasked',
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
      './source',
    ],
    ['PostScript', '%!PS-Adobe-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n', './source'],
    ['PDF', '%PDF-1.4\n', './source'],
    ['text', SECRET, 'TEXT:./source'],
    ['a label from a file', SECRET, 'LABEL:@./source'],
    ['a caption', SECRET, 'CAPTION:hello'],
    ['Pango', SECRET, 'PANGO:hello'],
    ['a URL', '', 'https://127.0.0.1:9/x.png'],
    ['a URL of HTTP', '', 'http://127.0.0.1:9/x.png'],
    ['a file that deletes itself', SECRET, 'EPHEMERAL:./source'],
    ['a list of names', './source', '@./source'],
    ['a descriptor', '', 'PNG:fd:0'],
    ['a video through a delegate', SECRET, 'MP4:./source'],
    ['the screen', '', 'X:root'],
  ])('refuses %s', async (_what, content, source) => {
    await inScratch(async (scratch) => {
      await writeFile(join(scratch, 'source'), content);
      const failure = await failureOf(convert(scratch, '-size', '9x9', source, 'PNG:./out.png'));
      expect(ToolError.is(failure)).toBe(true);
      // A module that is off is as good as not installed: the second wording.
      expect((failure as ToolError).stderr).toMatch(
        /not allowed by the security policy|no decode delegate for this image format `'/,
      );
      expect(await readdir(scratch)).toEqual(['source']);
    });
  });

  test('refuses a file of the system, by its name and by a link', async () => {
    await inScratch(async (scratch) => {
      await symlink('/etc/ld.so.cache', join(scratch, 'link'));
      for (const source of ['GRAY:/etc/ld.so.cache', 'GRAY:./link']) {
        const failure = await failureOf(convert(scratch, '-size', '9x9', '-depth', '8', source, 'PNG:./out.png'));
        expect((failure as ToolError).stderr).toContain('not allowed by the security policy');
      }
    });
  });

  test('a picture with more pixels than the policy allows is DECODER_LIMIT', async () => {
    await inScratch(async (scratch) => {
      await writeFile(join(scratch, 'source'), 'P6\n60000 60000\n255\n');
      await truncate(join(scratch, 'source'), 60_000 * 60_000 * 3 + 64);
      const failure = await failureOf(convert(scratch, 'PPM:./source', 'PNG:./out.png'));
      expect(failure).toMatchObject({ name: 'MediaError', code: 'DECODER_LIMIT' });
    });
  });

  test('a picture larger than memory goes through the disk', async () => {
    await inScratch(async (scratch) => {
      const limits = { ...LIMITS, memoryMiB: 256, fileMiB: 1024 };
      const made = await runMagick(spawn, {
        args: ['-size', '6000x6000', 'xc:red', '-scale', '10%', 'PNG:./out.png'],
        scratch,
        limits,
      });
      expect(made.peakMemoryKiB).toBeLessThan(256 * 1024);
      expect((await stat(join(scratch, 'out.png'))).size).toBeGreaterThan(100);
    });
  });
});
