import { jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'minio';
import type { Config } from '../../src/config/index.js';
import { createObjectStore, type ObjectStore } from '../../src/storage/index.js';
import { useStack } from '../support/stack.js';

// Real servers on a machine that may be busy.
jest.setTimeout(60_000);

const MIB = 1024 * 1024;
const TEXT = { contentType: 'text/plain' };

const stack = useStack();
let config: Config['storage'];
let bucket: string;
let store: ObjectStore;
let client: Client;
let dir: string;

beforeAll(async () => {
  config = (await stack.isolated()).storage;
  bucket = config.mediaBucket;
  store = createObjectStore(config);
  const { hostname, port } = new URL(config.endpoint);
  client = new Client({ ...config, endPoint: hostname, port: Number(port), useSSL: false });
  dir = await mkdtemp(join(tmpdir(), 's3-store-'));
}, 180_000);

afterAll(() => rm(dir, { recursive: true }));

async function keysOf(prefix: string, within = bucket): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(within, prefix)) keys.push(key);
  return keys;
}

describe('objects', () => {
  test('are read in parts', async () => {
    const bytes = randomBytes(1000);
    await store.putBytes(bucket, 'a/parts', bytes, TEXT);
    const { etag } = await store.stat(bucket, 'a/parts');
    expect(await store.readRange(bucket, 'a/parts', 10, 20, { etag })).toEqual(bytes.subarray(10, 30));
    expect(await store.readRange(bucket, 'a/parts', 990, 100)).toEqual(bytes.subarray(990));
    expect(await store.readRange(bucket, 'a/parts', 1000, 1)).toHaveLength(0);
    await expect(store.readRange(bucket, 'a/none', 0, 1)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    const old = { etag: 'f'.repeat(32) };
    await expect(store.readRange(bucket, 'a/parts', 0, 1, old)).rejects.toMatchObject({ code: 'OBJECT_GONE' });
  });

  test('are kept from a second writer', async () => {
    const writes = ['first', 'second'].map((text) => store.putIfAbsent(bucket, 'a/once', Buffer.from(text), TEXT));
    const won = await Promise.all(writes);
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await store.read(bucket, 'a/once')).toString()).toBe(won[0] ? 'first' : 'second');
    expect(await store.putIfAbsent(bucket, 'a/once', Buffer.from('third'), TEXT)).toBe(false);
  });

  test('are handed out by a signed URL until it expires', async () => {
    await store.putBytes(config.uploadsBucket, 'a/private ü', Buffer.from('secret'), TEXT);
    expect((await fetch(store.publicUrl(config.uploadsBucket, 'a/private ü'))).status).toBe(403);
    const url = await store.signedUrl(config.uploadsBucket, 'a/private ü', 60);
    expect(await (await fetch(url)).text()).toBe('secret');
    const altered = url.replace('private', 'other');
    expect((await fetch(altered)).status).toBe(403);
  });

  test('come back as they went in, with their facts', async () => {
    const bytes = randomBytes(1000);
    const metadata = { tenant: 'acme', title: 'Grüße 🎬' };
    await store.putBytes(bucket, 'a/facts.bin', bytes, {
      contentType: 'video/mp4',
      cacheControl: 'no-cache',
      metadata,
    });
    const stat = await store.stat(bucket, 'a/facts.bin');
    expect(stat).toMatchObject({ bytes: 1000, contentType: 'video/mp4', metadata });
    expect(stat.etag).toMatch(/^[0-9a-f]{32}$/);
    expect(Math.abs(stat.modifiedAt.getTime() - Date.now())).toBeLessThan(60_000);
    expect(await store.read(bucket, 'a/facts.bin')).toEqual(bytes);
    const response = await fetch(store.publicUrl(bucket, 'a/facts.bin'));
    expect(response.headers.get('cache-control')).toBe('no-cache');
  });

  // 5 x (200 + 1) + 9 x 2 + 1
  const MAX_KEY = `${`${'d'.repeat(200)}/`.repeat(5)}${'ü'.repeat(9)}x`;
  test.each([
    'with space/and + plus',
    `quotes'"\`<&>`,
    'hash#question?percent%20%/é😀',
    '-rf',
    '--help/-x',
    'back\\slash',
    '007',
    '12e34',
    'line\nbreak',
    'of 1,024 bytes',
  ])('may have any name: %j', async (name) => {
    const key = name === 'of 1,024 bytes' ? MAX_KEY : `odd/${name}`;
    const file = join(dir, 'odd');
    await store.putBytes(bucket, key, Buffer.from(name), TEXT);
    expect((await store.stat(bucket, key)).bytes).toBe(Buffer.byteLength(name));
    await store.download(bucket, key, file);
    expect(await readFile(file, 'utf8')).toBe(name);
    expect(await keysOf(key.split('/')[0]!)).toContain(key);
    expect(await (await fetch(store.publicUrl(bucket, key))).text()).toBe(name);
    await store.remove(bucket, [key]);
    await expect(store.stat(bucket, key)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  test.each([0, 1, 16 * MIB, 16 * MIB + 1, 35 * MIB])('a file of %d bytes goes up and comes down', async (size) => {
    const [up, down] = [join(dir, 'up'), join(dir, 'down')];
    const bytes = randomBytes(size);
    await writeFile(up, bytes);
    await store.putFile(bucket, 'big/file', up, TEXT);
    const seen: number[] = [];
    const stat = await store.download(bucket, 'big/file', down, {
      onProgress: (done, total) => seen.push(done, total),
    });
    expect(stat).toMatchObject({ bytes: size, contentType: 'text/plain' });
    expect(bytes.equals(await readFile(down))).toBe(true);
    if (size > 0) expect(seen.slice(-2)).toEqual([size, size]);
  });

  test('list goes over pages and stays below its prefix', async () => {
    const keys = Array.from({ length: 1005 }, (_, i) => `pages/${String(i).padStart(4, '0')}`);
    for (let i = 0; i < keys.length; i += 67) {
      await Promise.all(keys.slice(i, i + 67).map((key) => store.putBytes(bucket, key, Buffer.alloc(0), TEXT)));
    }
    await store.putBytes(bucket, 'pages2/x', Buffer.alloc(0), TEXT);
    expect(await keysOf('pages/')).toEqual(keys);
    expect(await store.removePrefix(bucket, 'pages/')).toBe(1005);
    expect(await keysOf('pages')).toEqual(['pages2/x']);
  });

  test('removePrefix aborts unfinished uploads there, and only there', async () => {
    const upload = async (key: string): Promise<string> => {
      const uploadID = await client.initiateNewMultipartUpload(bucket, key, {});
      await client.uploadPart(
        { bucketName: bucket, objectName: key, uploadID, partNumber: 1, headers: {} },
        randomBytes(10),
      );
      return key;
    };
    await Promise.all(['gone/g1/a', 'gone/g1/b c'].map(upload));
    await upload('gone/g12/kept');
    expect(await store.removePrefix(bucket, 'gone/g1/')).toBe(0);
    const { uploads } = await client.listIncompleteUploadsQuery(bucket, '', '', '', '');
    expect(uploads.map(({ key }) => key)).toEqual(['gone/g12/kept']);
    await store.removePrefix(bucket, 'gone/g12/');
    expect(await store.removePrefix(bucket, 'gone/g1/')).toBe(0);
  });

  test.each(['', '/', 'assets/x'])('removePrefix refuses %j', async (prefix) => {
    await expect(store.removePrefix(bucket, prefix)).rejects.toThrow(TypeError);
  });
});

describe('a download', () => {
  const download = (path: string, options: object, key = 'down/x') => store.download(bucket, key, path, options);
  let etag: string;
  beforeAll(async () => {
    await store.putBytes(bucket, 'down/x', randomBytes(5 * MIB), TEXT);
    etag = (await store.stat(bucket, 'down/x')).etag;
  });

  test('insists on the etag', async () => {
    await download(join(dir, 'same'), { etag: `"${etag}"` });
    await expect(download(join(dir, 'other'), { etag: 'f'.repeat(32) })).rejects.toMatchObject({ code: 'OBJECT_GONE' });
    await expect(download(join(dir, 'other'), { etag }, 'down/removed')).rejects.toMatchObject({ code: 'OBJECT_GONE' });
  });

  test('is bounded', async () => {
    await expect(download(join(dir, 'bounded'), { maxBytes: 100 })).rejects.toMatchObject({ code: 'LIMIT_BYTES' });
  });

  test('that is cancelled rejects with the reason and leaves no file', async () => {
    const cancel = new AbortController();
    const reason = new Error('enough');
    const broken = download(join(dir, 'cancelled'), { signal: cancel.signal, onProgress: () => cancel.abort(reason) });
    await expect(broken).rejects.toBe(reason);
    expect((await readdir(dir)).filter((name) => name.includes('cancelled'))).toEqual([]);
    await expect(store.stat(bucket, 'down/x', { signal: cancel.signal })).rejects.toBe(reason);
  });
});

test('an upload in parts that is cancelled leaves no parts', async () => {
  const file = join(dir, 'cancelled-upload');
  await writeFile(file, randomBytes(40 * MIB));
  const cancel = new AbortController();
  const reason = new Error('enough');
  const upload = store.putFile(bucket, 'cancelled/x', file, { ...TEXT, signal: cancel.signal });
  const unfinished = async () => (await client.listIncompleteUploadsQuery(bucket, '', '', '', '')).uploads;
  while ((await unfinished()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  cancel.abort(reason);
  await expect(upload).rejects.toBe(reason);
  expect(await unfinished()).toEqual([]);
  expect(await keysOf('cancelled/')).toEqual([]);
});

describe('errors', () => {
  test('what is not there is OBJECT_MISSING', async () => {
    const missing = { code: 'OBJECT_MISSING' };
    await expect(store.stat(bucket, 'none')).rejects.toMatchObject(missing);
    await expect(store.read('no-such-bucket', 'none')).rejects.toMatchObject(missing);
    await expect(store.read('No_Bucket!', 'none')).rejects.toMatchObject(missing);
    await expect(store.putBytes('no-such-bucket', 'x', Buffer.alloc(1), TEXT)).rejects.toMatchObject(missing);
    await expect(keysOf('', 'no-such-bucket')).rejects.toMatchObject(missing);
    await store.putBytes(bucket, 'v', Buffer.alloc(1), TEXT);
    for (const versionId of ['not-a-version', '9b8a4a3e-59a1-4a6f-a8c7-1f0f5c9e8f11']) {
      await expect(store.stat(bucket, 'v', { versionId })).rejects.toMatchObject(missing);
      await expect(store.read(bucket, 'v', { versionId })).rejects.toMatchObject(missing);
    }
    await expect(store.download(bucket, 'none', join(dir, 'none'))).rejects.toMatchObject(missing);
    await expect(store.remove(bucket, ['none'])).resolves.toBeUndefined();
  });

  test.each(['x'.repeat(1025), '../up', 'a/../../b'])(
    'a key that no object can have is OBJECT_KEY_INVALID: %#',
    async (key) => {
      await expect(store.read(bucket, key)).rejects.toMatchObject({ code: 'OBJECT_KEY_INVALID' });
    },
  );

  test('a version is read although a newer one or a delete marker hides it', async () => {
    const versions = `${bucket}-versions`;
    await store.ensureBucket(versions);
    await client.setBucketVersioning(versions, { Status: 'Enabled' });
    await store.putBytes(versions, 'x', Buffer.from('one'), TEXT);
    const { versionId } = await store.stat(versions, 'x');
    await store.putBytes(versions, 'x', Buffer.from('two'), TEXT);
    await store.remove(versions, ['x']);
    expect(String(await store.read(versions, 'x', { versionId }))).toBe('one');
    await expect(store.read(versions, 'x')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    for await (const { versionId: marker, isDeleteMarker } of client.listObjects(versions, '', true, {
      IncludeVersion: true,
    })) {
      if (!isDeleteMarker) continue;
      await expect(store.stat(versions, 'x', { versionId: marker })).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    }
    expect.assertions(3);
  });

  test('a missing local file is no failure of the store', async () => {
    await expect(store.putFile(bucket, 'x', join(dir, 'no-file'), TEXT)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a public bucket is read by everybody, but for what asset.json keeps of uploaders', async () => {
    const open = `${bucket}-open`;
    await store.ensureBucket(open, { publicRead: 'outputs' });
    const keys = ['assets/1/g1/images/thumb.jpg', 'assets/1/g1/asset.json', 'assets/1/g12/asset.json', 'asset.json'];
    const seen = async (key: string): Promise<number> => {
      await store.putBytes(open, key, Buffer.from(key), TEXT);
      expect(String(await store.read(open, key))).toBe(key);
      return (await fetch(store.publicUrl(open, key))).status;
    };
    expect(await Promise.all(keys.map(seen))).toEqual([200, 403, 403, 200]);
    expect((await fetch(store.publicUrl(open, ''))).status).toBe(403);
    await store.ensureBucket(open, { publicRead: 'images' });
    const film = 'assets/1/g1/video/720p/seg-00000.m4s';
    expect(await Promise.all([...keys, film].map(seen))).toEqual([200, 403, 403, 403, 403]);
  });

  test('ensureBucket may be called by many at once', async () => {
    await Promise.all(Array.from({ length: 5 }, () => store.ensureBucket(`${bucket}-many`, { publicRead: 'images' })));
  });
});

describe('a store that gives way', () => {
  let server: Server;
  let answered: number;
  async function storeThat(answer: RequestListener): Promise<ObjectStore> {
    answered = 0;
    server = createServer((request, response) => {
      answered += 1;
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return createObjectStore({ ...config, endpoint, timeoutSeconds: 1 });
  }
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const unavailable = { code: 'STORE_UNAVAILABLE' };

  test.each([500, 503, 429])('status %d is STORE_UNAVAILABLE, after one more try', async (status) => {
    const shaky = await storeThat((_, response) =>
      response.writeHead(status).end('<Error><Code>SlowDown</Code></Error>'),
    );
    await expect(shaky.read(bucket, 'x')).rejects.toMatchObject(unavailable);
    expect(answered).toBe(2);
  });

  test('one bad answer is not noticed', async () => {
    const shaky = await storeThat((_, response) => {
      if (answered === 1) response.destroy();
      else response.end('fine');
    });
    expect(String(await shaky.read(bucket, 'x'))).toBe('fine');
  });

  test('silence ends by time-out', async () => {
    const silent = await storeThat(() => undefined);
    await expect(silent.stat(bucket, 'x')).rejects.toMatchObject(unavailable);
  });

  test('silence ends by cancellation at once', async () => {
    const silent = await storeThat(() => undefined);
    const signal = AbortSignal.timeout(50);
    await expect(silent.stat(bucket, 'x', { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test.each([[true], [false]])('a body that breaks off leaves no file (ended by the peer: %s)', async (ended) => {
    const broken = await storeThat((_, response) => {
      response.writeHead(200, { 'content-length': 1000, etag: '"x"' });
      response.write('only this');
      if (ended) setTimeout(() => response.destroy(), 20);
    });
    await expect(broken.download(bucket, 'x', join(dir, 'broken'))).rejects.toMatchObject(unavailable);
    expect((await readdir(dir)).filter((name) => name.includes('broken'))).toEqual([]);
  });

  test('a store that ignores If-Match is found out', async () => {
    const careless = await storeThat((_, response) =>
      response.writeHead(200, { etag: '"new"', 'content-length': 1 }).end('x'),
    );
    await expect(careless.download(bucket, 'x', join(dir, 'careless'), { etag: 'old' })).rejects.toMatchObject({
      code: 'OBJECT_GONE',
    });
  });

  test('no server at all', async () => {
    const gone = await storeThat(() => undefined);
    server.close();
    await expect(gone.remove(bucket, ['x'])).rejects.toMatchObject(unavailable);
    await expect(gone.ensureBucket(bucket)).rejects.toMatchObject(unavailable);
  });
});
