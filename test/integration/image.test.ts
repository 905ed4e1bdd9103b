/** From an uploaded file to a published image: the activities of the image queue on real servers, with real decoders. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import sharp from 'sharp';

import { createActivities } from '../../src/activities/index.js';
import type { Config } from '../../src/config/index.js';
import type { ImageActivities, ImageOutcome } from '../../src/contracts/activities.js';
import { outputPrefix, type AssetDocument, type Job } from '../../src/contracts/assets.js';
import { assetIdOf, workflowIdOf } from '../../src/contracts/ids.js';
import type { ImageFacts } from '../../src/contracts/image.js';
import { MediaError } from '../../src/contracts/errors.js';
import { createLogger } from '../../src/logging/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import type { ImageSlot, Tools } from '../../src/tools/tools.js';
import { openContext, type OpenContext } from '../../src/workers/context.js';
import { descendants, until } from '../support/processes.js';
import { uniqueTenant } from '../support/job.js';
import { useStack } from '../support/stack.js';
import { readTopic } from '../support/topic.js';
import { failureOf } from '../tools/support.js';

// Real decoders, on a machine that has other tests to run.
jest.setTimeout(60_000);

const FOCAL_PROFILE = `
extends: default
description: One square around the focal point.
image:
  formats: [jpeg]
  widths: [320]
  sizes: [{ name: square, width: 200, height: 200, fit: cover, position: focal }]
`;
const LONG = 60_000;
const STARTED = '2026-01-01T00:00:00.000Z';
const stack = useStack();
let config: Config;
let open: OpenContext;
let activities: ImageActivities;
let dir: string;
let profiles: string;
let photo: Buffer;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-image-'));
  profiles = await mkdtemp(join(tmpdir(), 'mediamill-profiles-'));
  await writeFile(join(profiles, 'focal.yaml'), FOCAL_PROFILE);
  const overrides = {
    scratch: { dir },
    profiles: { dir: profiles },
    workers: { imageConcurrency: 2 },
    limits: { maxImageMiB: 1, imageSeconds: 60 },
    log: { level: 'error' as const },
  };
  config = await stack.isolated({ database: true, overrides });
  open = await openContext(config, createLogger(config.log), { tools: true });
  activities = createActivities(open.activities).image;
  photo = await sharp({ create: { width: 1500, height: 1000, channels: 3, background: 'teal' } })
    .withExif({ IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' } })
    .jpeg()
    .toBuffer();
}, LONG);

afterAll(async () => {
  await open.close();
  expect(await readdir(dir)).toEqual([]);
  await rm(dir, { recursive: true });
  await rm(profiles, { recursive: true });
});

async function upload(key: string, bytes: Uint8Array): Promise<Job> {
  const bucket = config.storage.uploadsBucket;
  const { store } = open.activities;
  await store.putBytes(bucket, key, bytes, { contentType: 'application/octet-stream' });
  const { etag } = await store.stat(bucket, key);
  return jobOf({ bucket, key, etag });
}

function jobOf(source: { bucket: string; key: string; etag: string }): Job {
  return {
    ...{ assetId: assetIdOf(source), workflowId: workflowIdOf(source), generation: 1, source },
    // The same bytes are made anew for each of them.
    ...{ tenant: uniqueTenant(), profile: 'default', priority: 3, uploadedAt: STARTED },
  };
}

/** Expected failures are not for the test's output. */
const environmentOf = (): MockActivityEnvironment =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });

function makeImage(job: Job, environment = environmentOf()): Promise<ImageOutcome> {
  return environment.run<[Job, string], ImageOutcome, ImageActivities['makeImage']>(activities.makeImage, job, STARTED);
}

async function outputs(job: Job): Promise<string[]> {
  const prefix = outputPrefix(job.assetId, job.generation);
  const names: string[] = [];
  for await (const { key } of open.activities.store.list(config.storage.mediaBucket, prefix)) names.push(key);
  return names.map((key) => key.slice(prefix.length)).sort();
}

async function eventsOf({ assetId }: Job): Promise<{ id: string; what: string; image?: ImageFacts | undefined }[]> {
  const records = await readTopic(config, config.kafka.resultsTopic);
  return records
    .filter(({ key }) => key?.toString() === assetId)
    .map(
      ({ value }) =>
        JSON.parse(value!.toString()) as {
          id: string;
          data: { state?: string; rendition?: { name: string }; image?: ImageFacts };
        },
    )
    .map(({ id, data }) => ({ id, what: data.state ?? data.rendition!.name, image: data.image }));
}

/** Of the default profile: its widths, and for the largest the picture's own. */
const VARIANTS = [
  'thumb.jpg',
  ...[320, 640, 1280, 1500].flatMap((width) => ['avif', 'webp', 'jpg'].map((format) => `w${width}.${format}`)),
];

describe('an image', () => {
  test(
    'is made, stored, described, announced and published',
    async () => {
      const job = await upload('holiday/Ünï côde #1?.jpg', photo);
      const made = await makeImage(job);
      expect(made).toMatchObject({ outcome: 'ready', reader: 'sharp' });
      expect(await outputs(job)).toEqual(['asset.json', ...VARIANTS.map((name) => `images/${name}`)].sort());

      const { store, catalogue } = open.activities;
      const row = await catalogue.find(job.assetId);
      expect(row).toMatchObject({ state: 'ready', generation: 1, kind: 'image', tenant: job.tenant });
      const stored = await store.read(config.storage.mediaBucket, `${outputPrefix(job.assetId, 1)}asset.json`);
      const { catalogue: entry, ...document } = JSON.parse(stored.toString()) as AssetDocument;
      expect(entry).toMatchObject({
        tenant: job.tenant,
        fileName: 'Ünï côde #1?.jpg',
        history: [{ to: 'processing' }],
      });
      expect(row!.document).toEqual(document);
      expect(document).toMatchObject({ id: job.assetId, state: 'ready', kind: 'image', source: job.source });
      expect(document.renditions.map(({ name }) => name)).toEqual(VARIANTS);
      for (const { url, mime, width, height, bytes, type } of document.renditions) {
        const response = await fetch(url);
        expect(response.headers.get('content-type')).toBe(mime);
        expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
        const body = Buffer.from(await response.arrayBuffer());
        expect(body.length).toBe(bytes);
        expect(await sharp(body).metadata()).toMatchObject({ width, height });
        expect(body.includes('GPS')).toBe(false);
        expect(type).toBe(width === 100 ? 'thumbnail' : 'image');
      }
      const events = await eventsOf(job);
      expect(events.map(({ what }) => what)).toEqual(['processing', ...VARIANTS, 'ready']);
      expect(events.at(-1)!.image).toEqual(document.image);
    },
    LONG,
  );

  test('is described by its size, its bytes and its looks, and by HTML that shows it', async () => {
    const job = await upload('described.jpg', photo);
    await makeImage(job);
    const { catalogue } = open.activities;
    const { image, renditions } = (await catalogue.find(job.assetId))!.document!;
    const sha256 = createHash('sha256').update(photo).digest('hex');
    expect(image).toMatchObject({ width: 1500, height: 1000, format: 'jpeg', frames: 1, hasAlpha: false, sha256 });
    // Teal is #008080; JPEG moves it by a shade.
    for (const colour of [image!.dominantColour, image!.palette[0]!])
      expect(colour).toMatch(/^#0[0-2](7[c-f]|8[0-4]){2}$/);
    expect(image!.perceptualHash).toMatch(/^[0-9a-f]{16}$/);
    // Every address in the HTML is that of a rendition.
    const urls = image!.picture.match(/http[^ "]+/g)!;
    const published = renditions.filter(({ type }) => type === 'image').map(({ url }) => url);
    expect(new Set(urls)).toEqual(new Set(published));
    expect(image!.picture).toMatch(
      /^<picture><source type="image\/avif" .*<img src=.* width="1500" height="1000" .*<\/picture>$/,
    );

    expect((await catalogue.findBySha256(job.tenant, sha256, 100)).map(({ id }) => id)).toContain(job.assetId);
    const [nearest] = await catalogue.findSimilar(job.tenant, image!.perceptualHash, 0, 100);
    expect(nearest).toMatchObject({ distance: 0 });
  });

  test('is cropped around the point that its uploader names; one that is none does no harm', async () => {
    const halves = await sharp({ create: { width: 1200, height: 300, channels: 3, background: 'red' } })
      .composite([
        { input: { create: { width: 300, height: 300, channels: 3, background: 'blue' } }, left: 900, top: 0 },
      ])
      .removeAlpha()
      .png()
      .toBuffer();
    const middleOf = async (point: string): Promise<string> => {
      const source = await upload(`${randomUUID()}.png`, halves);
      const job: Job = { ...source, profile: 'focal', metadata: { 'focal-point': point } };
      expect(await makeImage(job)).toMatchObject({ outcome: 'ready' });
      const { renditions } = (await open.activities.catalogue.find(job.assetId))!.document!;
      const square = renditions.find(({ name }) => name === 'square.jpg')!;
      const body = Buffer.from(await (await fetch(square.url)).arrayBuffer());
      const [red, , blue] = (await sharp(body).stats()).channels.map(({ mean }) => mean);
      return red! > blue! ? 'red' : 'blue';
    };
    expect(await middleOf('0.9,0.5')).toBe('blue');
    expect(await middleOf('0.1,0.5')).toBe('red');
    expect(await middleOf('right, please')).toBe('red');
  });

  test('that exists in no such profile as was asked for fails before it is fetched', async () => {
    const job = { ...(await upload('profile.jpg', photo)), profile: 'defualt' };
    const failure = await failureOf(makeImage(job));
    expect(failure).toMatchObject({ type: 'PROFILE_UNKNOWN', nonRetryable: true });
    expect((failure as Error).message).toContain('Did you mean default?');
  });

  test(
    'whose worker died after publishing is not made again, and says the same',
    async () => {
      const job = await upload('twice.jpg', photo);
      const first = await makeImage(job);
      const events = await eventsOf(job);
      const second = await makeImage(job);
      expect(second).toMatchObject({ outcome: 'ready' });
      if (first.outcome !== 'ready' || second.outcome !== 'ready') throw new Error('not ready');
      expect(second.renditions).toEqual(first.renditions);
      const ids = new Set((await eventsOf(job)).map(({ id }) => id));
      expect(ids).toEqual(new Set(events.map(({ id }) => id)));
      const history = await open.activities.catalogue.history(job.assetId);
      expect(history.map(({ to }) => to)).toEqual(['processing', 'ready']);
    },
    LONG,
  );

  test('that another step must see is handed over, with nothing said of it', async () => {
    const mp4 = Buffer.concat([Buffer.from('00000018667479706d70343200000000', 'hex'), Buffer.alloc(1000)]);
    const job = await upload('film.jpg', mp4);
    expect(await makeImage(job)).toEqual({ outcome: 'media' });
    expect(await eventsOf(job)).toEqual([]);
    expect(await outputs(job)).toEqual([]);
  });

  test('of too many bytes may be a video taken for an image, once', async () => {
    const job = await upload('large.jpg', Buffer.concat([photo, Buffer.alloc(1024 ** 2)]));
    expect(await makeImage(job)).toEqual({ outcome: 'media' });
    const failure = await failureOf(makeImage({ ...job, corrected: true }));
    expect(failure).toMatchObject({ type: 'LIMIT_BYTES', nonRetryable: true });
  });
});

describe('uploads', () => {
  /** Activities whose store and decoders tell what they do. */
  function watched(put: (key: string) => Promise<void> = async () => undefined) {
    const seen = { puts: [] as string[], running: 0, putsWhileEncoding: 0 };
    const { store, tools } = open.activities;
    const putBytes: ObjectStore['putBytes'] = async (bucket, key, ...rest) => {
      seen.puts.push(key);
      seen.running += 1;
      try {
        await put(key);
        await store.putBytes(bucket, key, ...rest);
      } finally {
        seen.running -= 1;
      }
    };
    const withImageSlot: Tools['withImageSlot'] = (use, options) =>
      tools.withImageSlot(async (slot) => {
        const renderWithTraits: ImageSlot['renderWithTraits'] = async (...args) => {
          const rendered = await slot.renderWithTraits(...args);
          seen.putsWhileEncoding = seen.puts.length;
          return rendered;
        };
        return use({ ...slot, renderWithTraits });
      }, options);
    // All that an image asks of a store.
    const own = { putBytes, publicUrl: store.publicUrl.bind(store), download: store.download.bind(store) };
    const context = { ...open.activities, store: own as ObjectStore, tools: { ...tools, withImageSlot } };
    return { seen, make: createActivities(context).image.makeImage };
  }
  const run = (make: ImageActivities['makeImage'], job: Job): Promise<ImageOutcome> =>
    environmentOf().run(make as never, job as never, STARTED as never);

  test('begin while other variants are still encoded', async () => {
    const { seen, make } = watched();
    expect(await run(make, await upload('overlap.jpg', photo))).toMatchObject({ outcome: 'ready' });
    expect(seen.putsWhileEncoding).toBeGreaterThan(0);
    expect(seen.puts).toHaveLength(VARIANTS.length + 1);
  });

  test('of which one fails stop the others before the step ends; the next attempt brings all', async () => {
    const { seen, make } = watched((key) =>
      key.endsWith('w640.webp') ? Promise.reject(new MediaError('STORE_UNAVAILABLE')) : Promise.resolve(),
    );
    const job = await upload('trouble.jpg', photo);
    expect(await failureOf(run(make, job))).toMatchObject({ type: 'STORE_UNAVAILABLE', nonRetryable: false });
    expect(seen.running).toBe(0);
    expect(await open.activities.catalogue.find(job.assetId)).toMatchObject({ state: 'processing', generation: 0 });
    expect(await makeImage(job)).toMatchObject({ outcome: 'ready' });
    expect(await outputs(job)).toEqual(['asset.json', ...VARIANTS.map((name) => `images/${name}`)].sort());
  });
});

describe('an image that can not be made', () => {
  test.each<[string, string, () => Promise<Job>]>([
    [
      'is not there',
      'OBJECT_GONE',
      async () => jobOf({ bucket: config.storage.uploadsBucket, key: 'none', etag: 'e' }),
    ],
    ['is empty', 'OBJECT_EMPTY', () => upload('empty.jpg', Buffer.alloc(0))],
    ['is an archive', 'UNSUPPORTED_TYPE', () => upload('a.jpg', gzipSync('no picture'))],
    ['is cut to its header', 'DAMAGED_FILE', () => upload('b.jpg', photo.subarray(0, 40))],
    ['has too many pixels', 'LIMIT_PIXELS', () => upload('c.svg', svg(9000, 9000))],
    ['was replaced', 'OBJECT_GONE', () => replaced('d.jpg')],
    ['names a directory', 'OBJECT_IS_DIRECTORY', async () => jobOf({ bucket: 'b', key: 'folder/', etag: 'e' })],
  ])('because it %s fails with %s, finally, and leaves nothing', async (_why, type, make) => {
    const job = await make();
    expect(await failureOf(makeImage(job))).toMatchObject({ type, nonRetryable: true });
    expect(await outputs(job)).toEqual([]);
    expect(await slotFiles()).toEqual([]);
  });

  test(
    'because it was cancelled gives up its slot at once',
    async () => {
      const wide = await sharp({ create: { width: 7000, height: 7000, channels: 3, background: 'red' } })
        .png({ compressionLevel: 9 })
        .toBuffer();
      const job = await upload('slow.png', wide);
      const environment = environmentOf();
      const failure = failureOf(makeImage(job, environment));
      await until('it is being decoded', async () => (await eventsOf(job)).length > 0, 20_000);
      environment.cancel('CANCELLED');
      expect(await failure).toMatchObject({ name: 'CancelledFailure' });
      expect(await slotFiles()).toEqual([]);
      expect(await makeImage(await upload('next.jpg', photo))).toMatchObject({ outcome: 'ready' });
    },
    LONG,
  );
});

test(
  'a closed worker leaves no decoder',
  async () => {
    const other = await openContext(config, createLogger(config.log), { tools: true });
    const before = new Set(descendants(process.pid).map(({ pid }) => pid));
    const { makeImage: make } = createActivities(other.activities).image;
    await new MockActivityEnvironment().run(
      make as never,
      (await upload('last.jpg', photo)) as never,
      STARTED as never,
    );
    const own = () => descendants(process.pid).filter(({ pid, name }) => !before.has(pid) && /node|bwrap/.test(name));
    expect(own().length).toBeGreaterThan(0);
    await other.close();
    await until('its processes are gone', () => own().length === 0, 20_000);
  },
  LONG,
);

async function slotFiles(): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function replaced(key: string): Promise<Job> {
  const job = await upload(key, photo);
  await upload(key, photo.subarray(0, 100));
  return job;
}

const svg = (width: number, height: number): Buffer =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"/>`);
