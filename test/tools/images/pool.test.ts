import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp, { type Color } from 'sharp';
import { thumbHashToAverageRGBA } from 'thumbhash';

import type { ImageVariant } from '../../../src/contracts/image.js';
import type { ImageSlot } from '../../../src/tools/tools.js';
import { descendants, isAlive, until } from '../../support/processes.js';
import { createSpawner } from '../../../src/tools/spawn.js';
import { bestHost, failureOf } from '../support.js';
import { decoderOf, startPool, type TestPool } from './support.js';

// Real decoders, on a machine that has other tests to run.
jest.setTimeout(60_000);

const JPEG: ImageVariant = {
  ...{ name: 'out.jpg', type: 'image', width: 32, height: 24, fit: 'inside', format: 'jpeg', quality: 80 },
};

let dir: string;
let pool: TestPool;
let photo: Buffer;
beforeAll(async () => {
  photo = await plain('teal');
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-pool-'));
});
afterEach(async () => {
  await pool.close();
  await rm(dir, { recursive: true });
});

function plain(background: Color, width = 64, height = 48): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background } })
    .jpeg({ quality: 100 })
    .toBuffer();
}

async function render(slot: ImageSlot, bytes = photo, name = 'source'): Promise<Buffer> {
  await writeFile(join(slot.dir, name), bytes);
  const [made] = await slot.render(name, [JPEG]);
  expect(made).toMatchObject({ name: 'out.jpg', file: 'out.jpg', width: 32, height: 24 });
  const out = await readFile(join(slot.dir, 'out.jpg'));
  expect(made!.bytes).toBe(out.length);
  return out;
}

describe('a child that gives way', () => {
  test('by a segmentation fault costs its job a second try', async () => {
    pool = await startPool(dir, {}, (_call, nth) => (nth === 0 ? 'SIGSEGV' : undefined));
    await pool.withSlot((slot) => render(slot));
    expect(pool.collapses).toEqual(['crashed']);
    expect(pool.children).toHaveLength(2);
    expect(await pool.children[0]!.closed).toMatchObject({ signal: 'SIGSEGV' });
  });

  test('on every try fails this file and no other', async () => {
    pool = await startPool(dir, {}, ({ file }) => (file === 'evil' ? 'SIGSEGV' : undefined));
    const failed = failureOf(pool.withSlot((slot) => render(slot, photo, 'evil')));
    await pool.withSlot((slot) => render(slot));
    expect(await failed).toMatchObject({ code: 'DECODER_CRASHED' });
    expect(pool.collapses).toEqual(['crashed', 'crashed']);
    for (let i = 0; i < 4; i++) await pool.withSlot((slot) => render(slot));
  });

  test('before it has seen the file does not speak against the file', async () => {
    const spawnReal = createSpawner(await bestHost());
    pool = await startPool(dir, { spawn: (spec) => spawnReal({ ...spec, command: '/bin/false', args: [] }) });
    const failure = await failureOf(pool.withSlot((slot) => render(slot)));
    expect(failure).toMatchObject({ code: 'INTERNAL', final: false });
    expect(pool.collapses).toEqual(['start', 'start']);
  });

  test('by hanging is ended within the bound', async () => {
    pool = await startPool(dir, { seconds: 1 }, ({ file }) => (file === 'slow' ? 'SIGSTOP' : undefined));
    // Up and running, so that only the bound is measured.
    await pool.withSlot((slot) => render(slot));
    const started = performance.now();
    const error = await failureOf(pool.withSlot((slot) => render(slot, photo, 'slow')));
    expect(error).toMatchObject({ code: 'DECODER_TIMEOUT', message: expect.stringMatching(/ \d+ s are allowed\.$/) });
    // Two tries of 1 s; the rest is for starting a process on a busy machine.
    expect(performance.now() - started).toBeLessThan(12_000);
    expect(pool.collapses).toEqual(['timeout', 'timeout']);
    await pool.withSlot((slot) => render(slot));
  });

  test('by needing too much memory fails its file with DECODER_LIMIT', async () => {
    // Interlaced: the whole picture must be held, 8 bytes a pixel.
    const greedy = await sharp({ create: { width: 6000, height: 6000, channels: 4, background: 'red' } })
      .toColourspace('rgb16')
      .png({ progressive: true, compressionLevel: 1 })
      .toBuffer();
    pool = await startPool(dir, { memoryMiB: 192 });
    const error = await failureOf(pool.withSlot((slot) => render(slot, greedy)));
    expect(error).toMatchObject({ code: 'DECODER_LIMIT', message: expect.stringMatching(/ \d+ MiB are allowed\.$/) });
    expect(pool.collapses).toEqual(['memory', 'memory']);
    await pool.withSlot((slot) => render(slot));
  }, 60_000);
});

describe('variants', () => {
  const sizes = [8, 16, 24, 32, 40].map((width) => ({ ...JPEG, name: `w${width}.jpg`, width, height: width }));

  test('are each reported once, whole, before all are done', async () => {
    pool = await startPool(dir);
    const told = new Map<string, Buffer>();
    const images = await pool.withSlot(async (slot) => {
      await writeFile(join(slot.dir, 'source'), photo);
      const onFile = ({ name, bytes }: { name: string; bytes: number }): void => {
        expect(told.has(name)).toBe(false);
        const there = readFileSync(join(slot.dir, name));
        expect(there.length).toBe(bytes);
        told.set(name, there);
      };
      const made = await slot.render('source', sizes, { onFile });
      for (const { name } of made) expect(told.get(name)!.equals(await readFile(join(slot.dir, name)))).toBe(true);
      return made;
    });
    expect(told.size).toBe(sizes.length);
    expect(images.map(({ name }) => name)).toEqual(sizes.map(({ name }) => name));
  });

  test('are reported to whoever asked, not to whose job the child was started for', async () => {
    pool = await startPool(dir, { slots: 1 });
    const job = new AsyncLocalStorage<number>();
    const heard: unknown[] = [];
    for (const number of [1, 2]) {
      await job.run(number, () =>
        pool.withSlot(async (slot) => {
          await writeFile(join(slot.dir, 'source'), photo);
          await slot.render('source', [JPEG], { onFile: () => heard.push(job.getStore()) });
        }),
      );
    }
    expect(heard).toEqual([1, 2]);
    expect(pool.children).toHaveLength(1);
  });

  test('that were reported before a child gave way are not reported again, and are the same', async () => {
    pool = await startPool(dir);
    const told = new Map<string, Buffer>();
    await pool.withSlot(async (slot) => {
      await writeFile(join(slot.dir, 'source'), photo);
      await slot.inspect('source');
      const onFile = ({ name }: { name: string }): void => {
        expect(told.has(name)).toBe(false);
        told.set(name, readFileSync(join(slot.dir, name)));
        if (told.size === 1) process.kill(decoderOf(pool.children[0]!), 'SIGKILL');
      };
      await slot.render('source', sizes, { onFile });
      for (const [name, bytes] of told) expect(bytes.equals(await readFile(join(slot.dir, name)))).toBe(true);
    });
    expect(told.size).toBe(sizes.length);
    expect(pool.collapses.length).toBeLessThanOrEqual(1);
  });

  test('come with what the picture looks like where that is asked for, from one request', async () => {
    let calls = 0;
    pool = await startPool(dir, {}, () => {
      calls++;
      return undefined;
    });
    const { images, traits } = await pool.withSlot(async (slot) => {
      await writeFile(join(slot.dir, 'source'), await plain('#c86432'));
      return slot.renderWithTraits('source', sizes);
    });
    expect(calls).toBe(1);
    expect(images).toHaveLength(sizes.length);
    expect(traits).toEqual({
      thumbHash: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/),
      blurHash: expect.any(String),
      dominantColour: '#c86432',
      palette: ['#c86432'],
      perceptualHash: '0000000000000000',
    });
  });

  test('and looks are those of the picture, transparent or not', async () => {
    pool = await startPool(dir);
    const look = (image: Buffer) =>
      pool.withSlot(async (slot) => {
        await writeFile(join(slot.dir, 'source'), image);
        return (await slot.renderWithTraits('source', [JPEG])).traits;
      });
    const colours = { width: 64, height: 48, channels: 4 } as const;
    const half = Buffer.alloc(64 * 48 * 4);
    for (let i = 0; i < 64 * 48; i++) half.set(i % 64 < 32 ? [200, 100, 50, 255] : [0, 0, 255, 0], i * 4);
    const opaque = await look(await plain('#c86432'));
    const clear = await look(await sharp(half, { raw: colours }).png().toBuffer());
    const average = ({ thumbHash }: { thumbHash: string }) => thumbHashToAverageRGBA(Buffer.from(thumbHash, 'base64'));
    expect(average(opaque).a).toBe(1);
    expect(average(clear).a).toBeLessThan(0.7);
    for (const { r, g, b } of [average(opaque), average(clear)]) {
      for (const [found, meant] of [
        [r, 200],
        [g, 100],
        [b, 50],
      ] as const) {
        expect(Math.abs(found * 255 - meant)).toBeLessThan(20);
      }
    }
    expect(clear).toMatchObject({ dominantColour: '#c86432', palette: ['#c86432'] });
    expect(clear.perceptualHash).not.toBe(opaque.perceptualHash);
  });

  test.each([
    [1, 1, 'red'],
    [1, 20_000, 'red'],
    [20_000, 1, 'red'],
    [40, 40, { r: 9, g: 9, b: 9, alpha: 0 }],
  ] as const)('have looks at %dx%d of %j too', async (width, height, background) => {
    pool = await startPool(dir);
    await pool.withSlot(async (slot) => {
      const odd = sharp({ create: { width, height, channels: typeof background === 'string' ? 3 : 4, background } });
      await writeFile(join(slot.dir, 'source'), await odd.png().toBuffer());
      const { traits } = await slot.renderWithTraits('source', [{ ...JPEG, fit: 'cover' }]);
      expect(traits.dominantColour).toBe(typeof background === 'string' ? '#ff0000' : '#ffffff');
    });
    expect(pool.collapses).toEqual([]);
  });

  test('fail together: after the answer nothing is written any more', async () => {
    pool = await startPool(dir);
    await pool.withSlot(async (slot) => {
      await writeFile(join(slot.dir, 'source'), photo);
      // A folder stands where one of them should be written.
      await mkdir(join(slot.dir, 'w8.jpg'));
      expect(await failureOf(slot.render('source', sizes))).toMatchObject({ code: 'DAMAGED_FILE' });
      for (const { name } of sizes) await rm(join(slot.dir, name), { recursive: true, force: true });
      await slot.inspect('source');
      expect(await readdir(slot.dir)).toEqual(['source']);
    });
    expect(pool.collapses).toEqual([]);
  });
});

describe('a healthy child says of a file', () => {
  test.each([
    ['DAMAGED_FILE', () => Promise.resolve(photo.subarray(0, 30))],
    ['UNSUPPORTED_FORMAT', () => Promise.resolve(Buffer.from('P3 1 1 255 0 0 0'))],
    ['LIMIT_PIXELS', () => plain('red', 300, 300)],
  ])('%s', async (code, make) => {
    pool = await startPool(dir, { maxPixels: 80_000 });
    const bytes = await make();
    expect(await failureOf(pool.withSlot((slot) => render(slot, bytes)))).toMatchObject({ code });
    await pool.withSlot((slot) => render(slot));
    expect(pool.collapses).toEqual([]);
  });

  test('what its header says, without a limit', async () => {
    pool = await startPool(dir, { maxPixels: 100 });
    const header = await pool.withSlot(async (slot) => {
      await writeFile(join(slot.dir, 'source'), photo);
      return slot.inspect('source');
    });
    expect(header).toEqual({ format: 'jpeg', width: 64, height: 48, pages: 1, orientation: 1, hasAlpha: false });
  });
});

describe('slots', () => {
  test('never mix pictures, and are empty afterwards', async () => {
    pool = await startPool(dir);
    const shades = Array.from({ length: 24 }, (_, i) => i * 10);
    await Promise.all(
      shades.map(async (shade) => {
        const bytes = await plain({ r: shade, g: 255 - shade, b: 128 });
        const made = await pool.withSlot(async (slot) => {
          expect(await readdir(slot.dir)).toEqual([]);
          await writeFile(join(slot.dir, 'left over'), 'x');
          return render(slot, bytes);
        });
        const { channels } = await sharp(made).stats();
        [shade, 255 - shade, 128].forEach((value, i) => {
          expect(Math.abs(channels[i]!.mean - value)).toBeLessThan(4);
          expect(channels[i]!.stdev).toBeLessThan(2);
        });
      }),
    );
    expect(pool.children).toHaveLength(2);
    const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(files).toEqual([]);
  });

  test('are given in the order of asking; who gives up waiting leaves the queue', async () => {
    pool = await startPool(dir, { slots: 1 });
    const order: string[] = [];
    const controller = new AbortController();
    const first = pool.withSlot(async () => sleep(100));
    const second = pool.withSlot(async () => order.push('second'));
    const gone = failureOf(pool.withSlot(async () => order.push('gone'), { signal: controller.signal }));
    const third = pool.withSlot(async () => order.push('third'));
    controller.abort(new Error('changed my mind'));
    expect(await gone).toMatchObject({ message: 'changed my mind' });
    await Promise.all([first, second, third]);
    expect(order).toEqual(['second', 'third']);
  });

  test('of a cancelled job are free at once, with a new child', async () => {
    pool = await startPool(dir, { slots: 1 }, ({ file }) => (file === 'slow' ? 'SIGSTOP' : undefined));
    await pool.withSlot((slot) => render(slot));
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const job = failureOf(pool.withSlot((slot) => render(slot, photo, 'slow'), { signal: controller.signal }));
    await sleep(200);
    controller.abort(reason);
    // Not the time-out of its request, which it would have come to.
    expect(await job).toBe(reason);
    expect(pool.collapses).toEqual([]);
    await pool.withSlot((slot) => render(slot));
    expect(pool.children).toHaveLength(2);
  });

  test('get a new child after many jobs', async () => {
    pool = await startPool(dir, { slots: 1 });
    for (let i = 0; i < 201; i++) await pool.withSlot((slot) => render(slot));
    expect(pool.children).toHaveLength(2);
    expect(pool.collapses).toEqual([]);
  }, 60_000);
});

describe('a place', () => {
  const jobs = async (): Promise<void> => {
    await pool.withSlot((slot) => render(slot));
    await pool.withSlot((slot) => render(slot), { opens: 'jpeg' });
  };

  test('has a child for JPEGs, and one for anything, whose memory is zeroed', async () => {
    pool = await startPool(dir, { slots: 1 });
    await jobs();
    await jobs();
    const environments = pool.children.map((child) => readFileSync(`/proc/${decoderOf(child)}/environ`, 'utf8'));
    expect(environments.map((text) => text.includes('MALLOC_PERTURB_=255'))).toEqual([true, false]);
  });

  test('lets one of the two go when they hold too much together', async () => {
    // Half of it is allowed: more than Node and sharp take, less than both children do.
    pool = await startPool(dir, { slots: 1, memoryMiB: 200 });
    await jobs();
    const living = pool.children.filter(({ process: { exitCode, signalCode } }) => exitCode === null && !signalCode);
    expect([pool.children.length, living.length]).toEqual([2, 1]);
    await jobs();
    expect(pool.collapses).toEqual([]);
  });
});

describe('the sandbox of a child', () => {
  test('lets it write nothing but its slot, and see neither secrets nor other slots', async () => {
    pool = await startPool(dir);
    await pool.withSlot(async (slot) => {
      await render(slot);
      const pid = decoderOf(pool.children[0]!);
      const environment = (await readFile(`/proc/${pid}/environ`, 'utf8'))
        .split('\0')
        .map((entry) => entry.split('=')[0]);
      expect(environment).not.toContain('USER');
      expect(environment).toEqual(
        expect.arrayContaining(['MALLOC_ARENA_MAX', 'MALLOC_PERTURB_', 'VIPS_BLOCK_UNTRUSTED']),
      );
      const mounts = (await readFile(`/proc/${pid}/mounts`, 'utf8')).split('\n').map((line) => line.split(' '));
      const writable = mounts.filter(([, , type, options]) => /^rw\b/.test(options ?? '') && type !== 'devpts');
      expect(writable.map(([, target]) => target).filter((target) => !target!.startsWith('/dev'))).toEqual([
        '/scratch',
      ]);
      expect(await readFile(`/proc/${pid}/net/dev`, 'utf8')).not.toMatch(/eth|wlan|en[ops]/);
      const inside = `/proc/${pid}/root`;
      await expect(readdir(join(inside, dir))).rejects.toMatchObject({ code: 'ENOENT' });
      expect((await readdir(join(inside, 'scratch'))).sort()).toEqual((await readdir(slot.dir)).sort());
    });
  });
});

test('closing leaves no process and no folder, and refuses what waits', async () => {
  pool = await startPool(dir, { slots: 1 });
  const running = failureOf(
    pool.withSlot(async (slot) => {
      await render(slot);
      await sleep(300);
      return render(slot);
    }),
  );
  const waiting = failureOf(pool.withSlot(async () => undefined));
  await until(
    'a child runs',
    () => pool.children.length === 1 && descendants(pool.children[0]!.process.pid!).length > 0,
    20_000,
  );
  const processes = pool.children.flatMap(({ process: { pid } }) => [pid!, ...descendants(pid!).map((p) => p.pid)]);
  await pool.close();
  expect(await waiting).toMatchObject({ code: 'INTERNAL' });
  expect(await running).toMatchObject({ code: 'INTERNAL' });
  // Its pipes are closed; the kernel may still be taking the process apart.
  await until('all processes are gone', () => !processes.some(isAlive), 20_000);
  expect(await readdir(dir)).toEqual([]);
});
