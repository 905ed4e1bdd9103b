import { jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { loadConfig } from '../../src/config/index.js';
import type { SourceRef } from '../../src/contracts/assets.js';
import { createLogger } from '../../src/logging/index.js';
import { createObjectStore, createScratch, type ObjectStore, type Scratch } from '../../src/storage/index.js';
import { useStack } from '../support/stack.js';

// Real servers on a machine that may be busy.
jest.setTimeout(60_000);

const MIB = 1024 * 1024;
const logger = createLogger({ backend: 'pino', level: 'error' });

let root: string;
let opened: Scratch[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'scratch-'));
  opened = [];
});
afterEach(async () => {
  for (const scratch of opened) await scratch.close();
  await rm(root, { recursive: true });
});

async function open(options: object = {}): Promise<Scratch> {
  const { scratch: config } = loadConfig({ files: [], env: {}, overrides: { scratch: { dir: root, ...options } } });
  const scratch = await createScratch(config, logger);
  opened.push(scratch);
  return scratch;
}

const filesBelow = async (): Promise<string[]> =>
  (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

describe("a job's folder", () => {
  test('is private, its own, and gone afterwards', async () => {
    const scratch = await open();
    const dirs = await Promise.all(
      [1, 2].map(() =>
        scratch.withJobDir('chunk 0/../../x', async (dir) => {
          expect((await stat(dir)).mode & 0o777).toBe(0o700);
          expect(dirname(dirname(dir))).toBe(root);
          await mkdir(join(dir, 'deep'));
          await writeFile(join(dir, 'deep', 'file'), 'x');
          await chmod(join(dir, 'deep'), 0o500);
          return dir;
        }),
      ),
    );
    expect(new Set(dirs).size).toBe(2);
    for (const dir of dirs) await expect(stat(dir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('is gone after a failure too, and a full disk is NO_SPACE', async () => {
    const scratch = await open();
    const failure = new Error('failed');
    await expect(scratch.withJobDir('a', () => Promise.reject(failure))).rejects.toBe(failure);
    const full = scratch.withJobDir('b', async (dir) => {
      await writeFile(join(dir, 'x'), 'x');
      await writeFile('/dev/full', 'x');
    });
    await expect(full).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(await filesBelow()).toEqual([]);
  });

  test('is refused when there is too little room', async () => {
    const never = (): Promise<void> => Promise.reject(new Error('was begun'));
    const full = await open({ minFreeMiB: 1e12 });
    await expect(full.withJobDir('a', never)).rejects.toMatchObject({ code: 'NO_SPACE' });
    const small = await open({ maxGiB: 0.001 });
    await small.withJobDir('a', async (dir) => {
      await writeFile(join(dir, 'x'), Buffer.alloc(2 * MIB));
      await expect(small.withJobDir('b', never)).rejects.toMatchObject({ code: 'NO_SPACE' });
    });
    await expect(small.withJobDir('c', async () => 'room again')).resolves.toBe('room again');
  });
});

test('the sweep at start removes the folders of dead processes and no others', async () => {
  const child = spawn('sleep', ['60']);
  try {
    const started = async (pid: number): Promise<string> =>
      (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')[21]!;
    const namespace = /\d+/.exec(await readlink('/proc/self/ns/pid'))![0];
    const living = `w-${namespace}-${child.pid}-${await started(child.pid!)}-a`;
    const reusedPid = `w-${namespace}-${child.pid}-1-b`;
    const dead = `w-${namespace}-4194305-12345-c`;
    const foreign = `w-1-4194305-12345-c`;
    const foreignOld = `w-2-4194305-12345-c`;
    const others = ['images-abc', 'w-notes'];
    for (const name of [living, reusedPid, dead, foreign, foreignOld, ...others]) {
      await mkdir(join(root, name));
      await writeFile(join(root, name, 'file'), 'x');
    }
    const longAgo = Date.now() / 1000 - 8 * 24 * 3600;
    await utimes(join(root, foreignOld), longAgo, longAgo);
    // Two workers that start at the same moment.
    const both = await Promise.all([open(), open()]);
    const own = both.map((scratch) => scratch.withJobDir('x', async (dir) => basename(dirname(dir))));
    expect((await readdir(root)).sort()).toEqual([living, foreign, ...(await Promise.all(own)), ...others].sort());
  } finally {
    child.kill('SIGKILL');
  }
});

describe('sources', () => {
  const stack = useStack();
  let bucket: string;
  let store: ObjectStore;
  let downloads: number;

  beforeAll(async () => {
    const { storage } = await stack.isolated();
    bucket = storage.uploadsBucket;
    const real = createObjectStore(storage);
    const counting: Partial<ObjectStore> = {
      stat: (...args) => real.stat(...args),
      putBytes: (...args) => real.putBytes(...args),
      download: (...args) => {
        downloads += 1;
        return real.download(...args);
      },
    };
    store = counting as ObjectStore;
  }, 180_000);
  beforeEach(() => (downloads = 0));

  async function put(key: string, bytes: number): Promise<SourceRef> {
    await store.putBytes(bucket, key, randomBytes(bytes), { contentType: 'video/mp4' });
    return { bucket, key, etag: (await store.stat(bucket, key)).etag, size: bytes };
  }

  test('one download serves all who ask, and the next step', async () => {
    const scratch = await open();
    const source = await put('shared', 8 * MIB);
    const seen = [0, 0, 0];
    const files = await Promise.all(
      seen.map((_, i) => scratch.sourceFile(source, store, { onProgress: (bytes) => (seen[i] = bytes) })),
    );
    expect(new Set(files.map(({ path }) => path)).size).toBe(1);
    expect(seen).toEqual([8 * MIB, 8 * MIB, 8 * MIB]);
    expect((await stat(files[0]!.path)).size).toBe(8 * MIB);
    for (const file of files) await file.release();
    const again = await scratch.sourceFile(source, store);
    expect(again).toMatchObject({ path: files[0]!.path, bytes: 8 * MIB });
    expect(downloads).toBe(1);
    await scratch.withJobDir('job', async (dir) => {
      const linked = await again.linkInto(dir, 'source');
      expect((await stat(linked)).ino).toBe((await stat(again.path)).ino);
    });
    await again.release();
  });

  test('another version of an object is another source', async () => {
    const scratch = await open();
    const first = await scratch.sourceFile(await put('versions', 100), store);
    const second = await scratch.sourceFile(await put('versions', 200), store);
    expect([first.bytes, second.bytes]).toEqual([100, 200]);
  });

  test('one who gives up does not stop the others; the last one does', async () => {
    const scratch = await open();
    const source = await put('cancelled', 24 * MIB);
    const reason = new Error('enough');
    const cancel = new AbortController();
    const stays = scratch.sourceFile(source, store);
    const leaves = scratch.sourceFile(source, store, { signal: cancel.signal, onProgress: () => cancel.abort(reason) });
    await expect(leaves).rejects.toBe(reason);
    const file = await stays;
    expect((await stat(file.path)).size).toBe(24 * MIB);
    await file.release();

    const other = await put('cancelled too', 24 * MIB);
    const alone = new AbortController();
    const last = scratch.sourceFile(other, store, { signal: alone.signal, onProgress: () => alone.abort(reason) });
    await expect(last).rejects.toBe(reason);
    expect(await filesBelow()).toEqual([basename(file.path)]);
    // And it can be had again.
    expect((await scratch.sourceFile(other, store)).bytes).toBe(24 * MIB);
  });

  test('a failed download fails all who wait, and is tried again by the next', async () => {
    const scratch = await open();
    const missing = { bucket, key: 'late', etag: 'a'.repeat(32) };
    const outcomes = await Promise.allSettled([1, 2].map(() => scratch.sourceFile(missing, store)));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'OBJECT_GONE' } });
    expect(downloads).toBe(1);
    await expect(scratch.sourceFile(await put('late', 10), store)).resolves.toMatchObject({ bytes: 10 });
    await expect(scratch.sourceFile(await put('large', 10), store, { maxBytes: 9 })).rejects.toMatchObject({
      code: 'LIMIT_BYTES',
    });
  });

  test('what is unused is kept within the budget, the longest unused goes first, what is used stays', async () => {
    const scratch = await open({ cacheMiB: 2 });
    const [a, b, c] = [await put('a', MIB), await put('b', MIB), await put('c', MIB)];
    const used = await scratch.sourceFile(a, store);
    for (const source of [b, c, b]) await (await scratch.sourceFile(source, store)).release();
    expect(downloads).toBe(3);
    await used.release();
    await used.release();
    expect(await filesBelow()).toHaveLength(2);
    for (const source of [a, b]) await (await scratch.sourceFile(source, store)).release();
    expect(downloads).toBe(3);
    await (await scratch.sourceFile(c, store)).release();
    expect(downloads).toBe(4);
  });

  test('unused sources make room before work is refused', async () => {
    const scratch = await open({ maxGiB: 3 / 1024 });
    await (await scratch.sourceFile(await put('first', 2 * MIB), store)).release();
    const second = await scratch.sourceFile(await put('second', 2 * MIB), store);
    expect(await filesBelow()).toEqual([basename(second.path)]);
    await expect(scratch.sourceFile(await put('third', 2 * MIB), store)).rejects.toMatchObject({ code: 'NO_SPACE' });
    await second.release();
  });
});
