/** The commands as users run them, on a real stack with workers and starter of our own. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { createCatalogue } from '../../src/catalogue/postgres.js';
import { configEnv, type Config } from '../../src/config/index.js';
import type { AssetDocument } from '../../src/contracts/assets.js';
import type { Check } from '../../src/local/doctor.js';
import { which } from '../../src/local/find.js';
import { makePhoto, makeVideo } from '../../src/local/samples.js';
import { createLogger } from '../../src/logging/index.js';
import { createProducer } from '../../src/messaging/kafka.js';
import { createObjectStore } from '../../src/storage/index.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const BIN = join(process.cwd(), 'bin/mediamill.mjs');
const EVIL = 'evil \u001b[31m\u009b2J.txt';

const stack = useStack();
let dir: string;
let config: Config;
let processes: OwnProcess[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-cli-'));
  config = await stack.isolated({
    database: true,
    overrides: { scratch: { ...stack.config.scratch, dir: join(dir, 'scratch') } },
  });
  processes = await Promise.all([
    startProcess('workers/all.js', config, 'worker ready'),
    startProcess('starters/kafka/main.js', config, 'starter ready'),
  ]);
}, 180_000);
afterAll(async () => {
  for (const one of processes) one.kill('SIGTERM');
  await Promise.all(processes.map(({ exited }) => exited));
  await rm(dir, { recursive: true, force: true });
}, 60_000);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param env instead of the test's own `PATH`. */
function mediamill(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const { PATH, HOME } = process.env;
  return new Promise((resolve) => {
    const options = { cwd: dir, env: { PATH, HOME, ...configEnv(config), ...env } };
    execFile(process.execPath, [BIN, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

const documents = ({ stdout }: Outcome): AssetDocument[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as AssetDocument);

/** Puts what the bucket's notification would put: this test's bucket has none. */
async function announce(): Promise<void> {
  const { uploadsBucket } = config.storage;
  const producer = await createProducer(config.kafka, createLogger({ ...config.log, level: 'error' }));
  for (const key of await uploaded()) {
    const data = { bucket: uploadsBucket, key };
    const event = { specversion: '1.0', id: key, source: '/test', type: 'upload', data };
    await producer.send([{ topic: config.kafka.uploadsTopic, key: null, value: JSON.stringify(event) }]);
  }
  await producer.close();
}

/** `mediamill submit`, and the announcement of what it has uploaded. */
async function submit(files: readonly string[], ...options: string[]): Promise<Outcome> {
  const before = (await uploaded()).length;
  const outcome = mediamill(['submit', ...files, ...options]);
  await until('all is uploaded', async () => (await uploaded()).length === before + files.length, 30_000);
  await announce();
  return outcome;
}

async function uploaded(): Promise<string[]> {
  const keys: string[] = [];
  const { uploadsBucket } = config.storage;
  for await (const { key } of createObjectStore(config.storage).list(uploadsBucket, '')) keys.push(key);
  return keys;
}

test('submit, show, list: ready is 0, one failure is 1, and JSON is one object per asset with all its fields', async () => {
  const photo = await makePhoto(join(dir, 'photo.jpg'), 400, 300);
  const ready = await submit([photo], '--wait', '--json', '--tenant', 'acme', '--priority', '1');
  expect(ready).toMatchObject({ code: 0, stderr: expect.stringContaining('photo.jpg') as unknown as string });
  const [document, ...others] = documents(ready);
  expect(others).toEqual([]);
  expect(document).toMatchObject({
    id: expect.any(String),
    workflowId: expect.stringMatching(/^media\//),
    ...{ kind: 'image', state: 'ready' },
    source: { bucket: config.storage.uploadsBucket, key: expect.stringMatching(/\/photo\.jpg$/) },
    timings: { uploadedAt: expect.any(String), startedAt: expect.any(String), readyAt: expect.any(String) },
  });
  expect(document!.error).toBeUndefined();
  for (const rendition of document!.renditions) {
    expect(rendition).toMatchObject({
      name: expect.any(String),
      type: expect.any(String),
      url: expect.stringMatching(/^http/),
    });
    for (const number of [rendition.width, rendition.height, rendition.bytes]) expect(number).toBeGreaterThan(0);
  }
  expect(documents(await mediamill(['show', document!.id, '--json']))).toEqual([document]);
  expect((await mediamill(['show', document!.workflowId])).stdout).toMatch(/thumb[^]*100x100[^]*processing[^]*ready/);

  await writeFile(join(dir, EVIL), 'no media at all '.repeat(50));
  const mixed = await submit([photo, join(dir, EVIL)], '--wait');
  expect(mixed.code).toBe(1);
  expect(mixed.stdout).toMatch(/photo\.jpg\s+ready {2}\d+ renditions/);
  expect(mixed.stdout).toMatch(/evil .*failed {2}UNSUPPORTED_TYPE/);

  const list = await mediamill(['list']);
  expect(list.stdout.match(/photo\.jpg|evil/g)).toHaveLength(3);
  const failed = documents(await mediamill(['list', '--state', 'failed', '--json']));
  expect(failed).toMatchObject([{ state: 'failed', error: { code: 'UNSUPPORTED_TYPE' }, renditions: [] }]);
  const shown = await mediamill(['show', failed[0]!.id]);
  for (const { stdout } of [mixed, list, shown]) expect(stdout).not.toMatch(/[\u001b\u009b]/);
}, 90_000);

test('show and cancel an asset that is being processed', async () => {
  const clip = await makeVideo(join(dir, 'long.mp4'), { seconds: 45, width: 1280, height: 720, sound: false });
  const submitted = await submit([clip], '--json');
  const [received] = documents(submitted);
  expect([submitted.code, received]).toMatchObject([
    0,
    { kind: null, state: 'received', renditions: [], playback: {} },
  ]);
  const { id } = received!;

  let running: AssetDocument | undefined;
  await until(
    'it is being processed',
    async () => {
      const outcome = await mediamill(['show', id, '--json']);
      [running] = outcome.code === 0 ? documents(outcome) : [];
      return ['processing', 'playable'].includes(running?.state ?? '');
    },
    30_000,
  );
  expect(running).toMatchObject({
    id,
    source: received!.source,
    renditions: [],
    playback: {},
    timings: { startedAt: expect.any(String) },
  });
  expect((await mediamill(['show', id])).stdout).toMatch(/\[=* *\]\s+\d+ %/);

  expect(await mediamill(['cancel', id])).toMatchObject({ code: 0, stdout: `cancelling ${received!.workflowId}\n` });
  await until(
    'it is cancelled',
    async () => documents(await mediamill(['list', '--state', 'cancelled', '--json'])).length === 1,
    20_000,
  );
  expect(documents(await mediamill(['show', id, '--json']))).toMatchObject([
    { state: 'cancelled', error: { code: 'CANCELLED' } },
  ]);
}, 90_000);

test('a published video is verified without Temporal, and repaired: only what is asked for', async () => {
  const clip = await makeVideo(join(dir, 'two-rungs.mp4'), { seconds: 9, width: 640, height: 480, fps: 10 });
  const [{ id, renditions }] = documents(await submit([clip], '--wait', '--json')) as [AssetDocument];
  const store = createObjectStore(config.storage);
  const bucket = config.storage.mediaBucket;
  const keys = async (): Promise<string[]> => {
    const all: string[] = [];
    for await (const { key } of store.list(bucket, '')) if (key.includes(id)) all.push(key);
    return all.sort();
  };
  const away = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const good = await mediamill(['verify', id], away);
  expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/480p\s+good\n[^]*360p\s+good/) as unknown });
  const close = await mediamill(['verify', id, '--quality', '--json'], away);
  const { passed, quality } = JSON.parse(close.stdout) as { passed: boolean; quality: { ssim: number }[] };
  expect([close.code, passed, quality.length]).toEqual([0, true, 2]);
  for (const { ssim } of quality) expect(ssim).toBeGreaterThan(0.8);

  const before = await keys();
  const poster = before.filter((key) => /poster\.\w+$/.test(key));
  const sheets = before.filter((key) => key.includes('/sheet-'));
  const segment = before.filter((key) => /480p\/.*00001\.m4s$/.test(key));
  expect([poster.length, sheets.length, segment.length]).toEqual([1, 1, 1]);
  await store.remove(bucket, [...poster, ...sheets, ...segment]);
  const bad = await mediamill(['verify', id]);
  expect(bad.code).toBe(1);
  expect(bad.stdout).toMatch(/480p\s+Segment 1: It is missing/);
  expect(bad.stdout).toMatch(/poster\s+.*missing/);

  expect(await mediamill(['repair', id, '--rendition', '4711p'])).toMatchObject({
    ...{ code: 1, stderr: expect.stringContaining('has no rendition 4711p') as unknown },
  });
  const named = renditions.find(({ type }) => type === 'poster')!.name;
  expect(await mediamill(['repair', id, '--rendition', named])).toMatchObject({ code: 0 });
  expect(await keys()).toEqual(before.filter((key) => ![...sheets, ...segment].includes(key)));
  const [still] = documents(await mediamill(['show', id, '--json'])) as [AssetDocument];
  expect(still).toMatchObject({ state: 'ready', renditions: renditions.map(({ name }) => ({ name })) });

  expect(await mediamill(['repair', id])).toMatchObject({ code: 0 });
  expect(await keys()).toEqual(before);
  expect(await mediamill(['verify', id], away)).toMatchObject({ code: 0 });
}, 180_000);

test('similar finds copies of a picture, whatever became of their bytes', async () => {
  const photo = await makePhoto(join(dir, 'original.jpg'), 640, 480);
  const smaller = join(dir, 'smaller.webp');
  await sharp(photo).resize(320).webp({ quality: 60 }).toFile(smaller);
  const other = join(dir, 'other.png');
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 };
  await sharp({ create: { width: 64, height: 64, channels: 3, background: 'grey', noise } })
    .png()
    .toFile(other);
  const options = ['--wait', '--json', '--tenant', 'lookalikes'];
  const [original, copy, same] = documents(await submit([photo, smaller, photo, other], ...options));
  const found = await mediamill(['similar', original!.id, '--json']);
  const lines = found.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toEqual([
    {
      ...{ id: same!.id, distance: 0, same: true, bucket: same!.source.bucket, key: same!.source.key },
      thumbnail: thumbnailOf(same!),
    },
    {
      ...{
        id: copy!.id,
        distance: expect.any(Number),
        same: false,
        bucket: copy!.source.bucket,
        key: copy!.source.key,
      },
      thumbnail: thumbnailOf(copy!),
    },
  ]);
  expect((await mediamill(['similar', original!.workflowId, '--limit', '1'])).stdout).toMatch(
    /SAME FILE[^]*yes .*original\.jpg\n$/,
  );
  expect(await mediamill(['similar', 'no-such-asset'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/There is no asset/) as unknown,
  });
}, 90_000);

const thumbnailOf = ({ renditions }: AssetDocument) => renditions.find(({ type }) => type === 'thumbnail')!.url;

test('quarantine lists what no decoder is to see, and lifts it', async () => {
  expect((await mediamill(['quarantine', 'list'])).stdout).toBe('nothing is in quarantine\n');
  const sha256 = 'ab'.repeat(32);
  const catalogue = createCatalogue(config.catalogue);
  const verdict = { code: 'DECODER_CRASHED', message: 'The decoder crashed on this file.' } as const;
  await catalogue.quarantine({ assetId: 'a1', tenant: 'acme' }, sha256, verdict);
  await catalogue.close();
  expect((await mediamill(['quarantine', 'list'])).stdout).toMatch(
    new RegExp(`${sha256}  DECODER_CRASHED .* acme  +a1\n$`),
  );
  expect(JSON.parse((await mediamill(['quarantine', 'list', '--json'])).stdout)).toMatchObject({ sha256, verdict });
  expect(await mediamill(['quarantine', 'lift', sha256.toUpperCase()])).toMatchObject({
    code: 0,
    stdout: `lifted ${sha256.toUpperCase()}\n`,
  });
  expect((await mediamill(['quarantine', 'list'])).stdout).toBe('nothing is in quarantine\n');
  expect(await mediamill(['quarantine', 'lift', sha256])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/There is no abab.* in quarantine/) as unknown,
  });
}, 60_000);

test('mistakes are said, with exit code 1', async () => {
  const photo = await makePhoto(join(dir, 'again.jpg'), 64, 48);
  const mistakes: [args: string[], said: RegExp][] = [
    [['show', 'no-such-asset'], /There is no asset no-such-asset/],
    [['cancel', 'no-such-asset'], /There is no asset/],
    [['submit', join(dir, 'no-such-file')], /no such file/],
    [['submit', photo, '--tenant', 'a b'], /can not be asked for: .*tenant/],
    [['submit', photo, '--priority', '9'], /from 1 to 5/],
    [['list', '--state', 'lost'], /Allowed choices/],
    [['list', '--limit', 'x'], /whole number/],
  ];
  const outcomes = await Promise.all(mistakes.map(([args]) => mediamill(args)));
  outcomes.forEach(({ code, stderr }, i) =>
    expect([code, stderr]).toEqual([1, expect.stringMatching(mistakes[i]![1])]),
  );
}, 60_000);

test('logs do not mix with results', async () => {
  const { code, stdout, stderr } = await mediamill(['dlq', 'list', '--json'], { LOG_BACKEND: 'bunyan' });
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr).toContain('Unknown log backend');
}, 30_000);

test('doctor names what is missing, the command that brings it, and ends with 1', async () => {
  const tools = join(dir, 'bin');
  await mkdir(tools);
  for (const name of [
    'node',
    'npm',
    'java',
    'ffprobe',
    'convert',
    'bwrap',
    'prlimit',
    'setpriv',
    'unshare',
    'sh',
    'env',
    'dirname',
  ]) {
    const path = which(name);
    if (path) await symlink(path, join(tools, name));
  }
  const { code, stdout } = await mediamill(['doctor', '--json'], { PATH: tools });
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Check[] };
  expect([code, ok]).toEqual([1, false]);
  expect(checks.filter((check) => check.name === 'ffmpeg')).toEqual([
    { name: 'ffmpeg', ok: false, needed: true, found: 'missing', fix: expect.stringContaining('apt-get install') },
  ]);
  expect(checks.find(({ name }) => name === 'ffprobe')).toMatchObject({
    ok: true,
    found: expect.stringMatching(/^\d/),
  });
}, 30_000);
