/** The whole way: an S3 client puts an object, and what comes out plays. All processes as in production. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { createCatalogue } from '../../src/catalogue/postgres.js';
import type { Catalogue } from '../../src/catalogue/catalogue.js';
import { connectTemporal, type OpenClient } from '../../src/client/connection.js';
import type { Config } from '../../src/config/schema.js';
import { FINAL_STATES, outputPrefix, type AssetDocument, type Job } from '../../src/contracts/assets.js';
import { assetIdOf, workflowIdOf } from '../../src/contracts/ids.js';
import type { CloudEvent, RenditionReady, StateChanged } from '../../src/contracts/results.js';
import { makePhoto, makeVideo } from '../../src/local/samples.js';
import { decodeAll } from '../../src/starters/cli/decode-check.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { until } from '../support/processes.js';
import { readTopic } from '../support/topic.js';
import { jobOf } from '../support/job.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const run = promisify(execFile);
const stack = useStack();

let dir: string;
let config: Config;
let store: ObjectStore;
let catalogue: Catalogue;
let client: OpenClient;
let processes: OwnProcess[];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-e2e-'));
  config = { ...stack.config, scratch: { ...stack.config.scratch, dir: join(dir, 'scratch') } };
  store = createObjectStore(config.storage);
  catalogue = createCatalogue(config.catalogue);
  client = await connectTemporal(config.temporal);
  processes = await Promise.all([
    startProcess('workers/all.js', config, 'worker ready'),
    startProcess('starters/kafka/main.js', config, 'starter ready'),
  ]);
}, 120_000);

afterAll(async () => {
  for (const one of processes) one.kill('SIGTERM');
  const codes = await Promise.all(processes.map(({ exited }) => exited));
  await client.close();
  await catalogue.close();
  await rm(dir, { recursive: true });
  expect(codes).toEqual([0, 0]);
}, 60_000);

interface Put {
  readonly assetId: string;
  readonly workflowId: string;
}

async function put(key: string, file: string): Promise<Put> {
  const bucket = config.storage.uploadsBucket;
  await store.putFile(bucket, key, file, { contentType: 'application/octet-stream' });
  const { etag, versionId } = await store.stat(bucket, key);
  const object = { bucket, key, etag, versionId };
  return { assetId: assetIdOf(object), workflowId: workflowIdOf(object) };
}

async function ended({ assetId }: Put, ms = 60_000): Promise<AssetDocument> {
  let document: AssetDocument | null | undefined;
  await until(
    `asset ${assetId} ends\n${processes.flatMap(({ log }) => log.slice(-10)).join('\n')}`,
    async () => {
      const row = await catalogue.find(assetId);
      if (row && FINAL_STATES.includes(row.state)) document = row.document;
      return document !== undefined;
    },
    ms,
  );
  return document!;
}

const unique = (name: string): string => `${Math.random().toString(36).slice(2)}/${name}`;

test('a video becomes a ladder with sound and a poster that decode to the last frame', async () => {
  const file = await makeVideo(join(dir, 'clip.mp4'), { seconds: 9, width: 854, height: 480, fps: 25 });
  const upload = await put(unique('clip.mp4'), file);
  const document = await ended(upload);

  expect(document).toMatchObject({ id: upload.assetId, workflowId: upload.workflowId, kind: 'video', state: 'ready' });
  expect(document.renditions.map(({ name }) => name)).toEqual(expect.arrayContaining(['480p', '360p', 'poster.jpg']));
  const checked = await decodeAll(document);
  expect(checked.filter(({ problem }) => problem)).toEqual([]);
  const frames = checked.filter(({ name }) => /^\d+p$/.test(name)).map(({ facts }) => facts);
  for (const facts of frames) expect(facts).toContain('225 frames');
  expect(document.renditions.filter(({ type }) => type === 'audio')).toHaveLength(1);

  // The master playlist as a player sees it: every rung with the sound.
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-show_entries',
    'stream=codec_name,width,height',
    '-of',
    'csv=p=0',
    document.playback.hls!,
  ]);
  expect(stdout).toMatch(/h264,854,480/);
  expect(stdout).toMatch(/h264,640,360/);
  expect(stdout).toMatch(/aac/);
  await expectNoLeftovers(document);
  await expectEvents(upload.assetId, document);
}, 90_000);

test('a photo becomes a thumbnail and sized pictures', async () => {
  const upload = await put(unique('photo.jpg'), await makePhoto(join(dir, 'photo.jpg'), 1600, 1200));
  const document = await ended(upload);
  expect(document).toMatchObject({ kind: 'image', state: 'ready' });
  const checked = await decodeAll(document);
  expect(checked.filter(({ problem }) => problem)).toEqual([]);
  const sizes = document.renditions.map(({ type, mime, width, height }) => `${type} ${mime} ${width}x${height}`);
  expect(sizes).toContain('thumbnail image/jpeg 100x100');
  // The photo's own width takes the place of what would be wider.
  for (const width of [320, 640, 1280, 1600]) {
    for (const format of ['avif', 'webp', 'jpeg'])
      expect(sizes).toContain(`image image/${format} ${width}x${(width * 3) / 4}`);
  }
  expect(sizes.some((size) => size.includes('1920'))).toBe(false);
  await expectEvents(upload.assetId, document);
}, 60_000);

test('an animation becomes pictures, an animation and a loop that a video worker made', async () => {
  const file = join(dir, 'moving.gif');
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=10:duration=1.5', '-y', file]);
  const upload = await put(unique('moving.gif'), file);
  const document = await ended(upload);
  expect(document).toMatchObject({ kind: 'image', state: 'ready', image: { format: 'gif', frames: 15 } });
  const checked = await decodeAll(document);
  expect(checked.filter(({ problem }) => problem)).toEqual([]);
  expect(checked.filter(({ facts }) => facts.includes('15 frames')).map(({ name }) => name)).toEqual([
    'animation.webp',
    'loop.mp4',
  ]);
  expect(document.renditions.find(({ type }) => type === 'loop')!.duration).toBeCloseTo(1.5);
  expect(document.image!.picture).toContain('animation.webp');
  await expectNoLeftovers(document);
  await expectEvents(upload.assetId, document);
}, 60_000);

test('what the bytes are decides, not the name', async () => {
  const photo = await makePhoto(join(dir, 'small.jpg'), 640, 480);
  const video = await makeVideo(join(dir, 'small.mp4'), { seconds: 1, width: 320, height: 180, sound: false });
  const [a, b] = await Promise.all([
    put(unique('really-a-photo.mp4'), photo),
    put(unique('really-a-video.jpg'), video),
  ]);
  expect(await ended(a)).toMatchObject({ kind: 'image', state: 'ready' });
  expect(await ended(b)).toMatchObject({ kind: 'video', state: 'ready' });
}, 90_000);

test('hostile keys are keys like any other', async () => {
  const photo = await makePhoto(join(dir, 'tiny.jpg'), 64, 48);
  const id = Math.random().toString(36).slice(2, 12).padEnd(10, 'k');
  // File systems below stores take 255 bytes between two slashes.
  const long = `${`${'k'.repeat(200)}/`.repeat(5)}${id}-long.jpg`;
  expect(Buffer.byteLength(long)).toBe(1024);
  const keys = [
    `${id}/-i "quoted' #?%25 ü🎬.jpg`,
    `${id}/--version`,
    `${id}/$(touch pwned) ;|&.jpg`,
    `${id}/a/…/…/etc/passwd.jpg`,
    `-${id} -y.jpg`,
    long,
  ];
  const uploads = await Promise.all(keys.map((key) => put(key, photo)));
  for (const upload of uploads) expect(await ended(upload)).toMatchObject({ kind: 'image', state: 'ready' });
}, 90_000);

test('a folder that a client makes is no upload: it is dead-lettered with its reason', async () => {
  const key = unique('folder/');
  await store.putBytes(config.storage.uploadsBucket, key, new Uint8Array(), { contentType: 'application/x-directory' });
  await until(
    'its event is in the dead-letter topic',
    async () => {
      const letters = await readTopic(config, config.kafka.dlqTopic);
      const own = letters.find(({ value }) => value?.includes(encodeURIComponent(key)));
      return own?.headers['mediamill-reason']?.toString() === 'OBJECT_IS_DIRECTORY';
    },
    30_000,
  );
  const { etag } = await store.stat(config.storage.uploadsBucket, key);
  const workflowId = workflowIdOf({ bucket: config.storage.uploadsBucket, key, etag });
  await expect(client.temporal.workflow.getHandle(workflowId).describe()).rejects.toThrow(/not found/);
}, 60_000);

test('bad input ends in a clear, permanent error, at once', async () => {
  const files: Record<string, [name: string, content: Buffer, code: RegExp]> = {
    empty: ['empty.mp4', Buffer.alloc(0), /^OBJECT_EMPTY$/],
    text: ['notes.mp4', Buffer.from('not a video at all '.repeat(100)), /^UNSUPPORTED_TYPE$/],
    brokenImage: [
      'broken.jpg',
      Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1]),
      /^DAMAGED_FILE$/,
    ],
  };
  for (const [id, [name, content, code]] of Object.entries(files)) {
    const path = join(dir, id);
    await writeFile(path, content);
    const upload = await put(unique(name), path);
    const { state, error } = await ended(upload, 30_000);
    expect(`${id}: ${state} ${error?.code}`).toMatch(new RegExp(`^${id}: failed ${code.source.slice(1, -1)}$`));
    // The catalogue knows a moment before the workflow closes.
    await expect(client.temporal.workflow.getHandle(upload.workflowId).result()).rejects.toMatchObject({
      cause: { type: error?.code },
    });
  }
}, 90_000);

test('an object that was replaced or deleted meanwhile ends as gone', async () => {
  const bucket = config.storage.uploadsBucket;
  const key = unique('replaced.jpg');
  const source = { bucket, key, etag: '00000000000000000000000000000000' };
  await store.putBytes(bucket, key, Buffer.from('other bytes'), { contentType: 'image/jpeg' });
  expect(await failureOf(source)).toBe('OBJECT_GONE');
  expect(await failureOf({ ...source, key: unique('deleted.jpg') })).toBe('OBJECT_GONE');
}, 60_000);

/** Starts a workflow for an object that no event told of. */
async function failureOf(source: Job['source']): Promise<string | undefined> {
  const object = { ...source, versionId: undefined };
  const job = jobOf(object, { source });
  const options = { taskQueue: config.queues.media, workflowId: job.workflowId, args: [job, config.queues] };
  const handle = await client.temporal.workflow.start('processImage', options);
  await handle.result().catch(() => undefined);
  return (await catalogue.find(job.assetId))?.error?.code;
}

/** Nothing but what the document names, and what that consists of. */
async function expectNoLeftovers({ id }: AssetDocument): Promise<void> {
  for await (const { key } of store.list(config.storage.mediaBucket, outputPrefix(id, 1)))
    expect(key).not.toContain('/work/');
}

async function expectEvents(assetId: string, document: AssetDocument): Promise<void> {
  const records = await readTopic(config, config.kafka.resultsTopic);
  const events = records
    .filter(({ key }) => key?.toString() === assetId)
    .map(({ value }) => JSON.parse(value!.toString()) as CloudEvent<StateChanged | RenditionReady>);
  const states = events.flatMap(({ data }) => ('state' in data ? [data.state] : []));
  expect([states[0], states.at(-1)]).toEqual(['processing', 'ready']);
  const renditions = events.flatMap(({ data }) => ('rendition' in data ? [data.rendition.name] : []));
  expect(new Set(renditions)).toEqual(new Set(document.renditions.map(({ name }) => name)));
  for (const event of events) expect(event).toMatchObject({ specversion: '1.0', subject: assetId });
}
