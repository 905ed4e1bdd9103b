/** What becomes of images when decoders and workers die under them. Real workers, real servers, real signals. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { WorkflowHandle } from '@temporalio/client';
import sharp from 'sharp';

import { createCatalogue } from '../../src/catalogue/postgres.js';
import type { Catalogue } from '../../src/catalogue/catalogue.js';
import { connectTemporal, type OpenClient } from '../../src/client/connection.js';
import type { Config } from '../../src/config/schema.js';
import type { AssetDocument, Job } from '../../src/contracts/assets.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { BOMBS } from '../support/bombs.js';
import { hunt } from '../support/decoder-hunter.js';
import { jobOf } from '../support/job.js';
import { scene } from '../support/pictures.js';
import { descendants, isAlive, until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

// Killed workers are missed after ten seconds; decoders that hang are waited for, twice.
jest.setTimeout(180_000);

/** What a decoder may take: a busy machine takes a second for the large picture. */
const IMAGE_SECONDS = 10;

const stack = useStack();
let dir: string;
let config: Config;
let client: OpenClient;
let store: ObjectStore;
let catalogue: Catalogue;
let media: OwnProcess;
let worker: Worker;

interface Worker extends OwnProcess {
  readonly scratch: string;
}

interface Submitted {
  readonly job: Job;
  readonly handle: WorkflowHandle;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-image-workers-'));
  const overrides = { workers: { imageConcurrency: 2 }, limits: { imageSeconds: IMAGE_SECONDS } };
  config = await stack.isolated({ database: true, overrides });
  client = await connectTemporal(config.temporal);
  store = createObjectStore(config.storage);
  catalogue = createCatalogue(config.catalogue);
  media = await startProcess('workers/media.js', config, 'worker ready');
  worker = await startWorker();
}, 120_000);

afterAll(async () => {
  for (const one of [media, worker]) one.kill('SIGTERM');
  expect(await Promise.all([media, worker].map(({ exited }) => exited))).toEqual([0, 0]);
  await catalogue.close();
  await client.close();
  await rm(dir, { recursive: true });
});

async function startWorker(): Promise<Worker> {
  const scratch = await mkdtemp(join(dir, 'scratch-'));
  const own = { ...config, scratch: { ...config.scratch, dir: scratch } };
  return { ...(await startProcess('workers/image.js', own, 'worker ready')), scratch };
}

/** No two of them are the same bytes. */
function picture(width: number, height: number, seed: number): Promise<Buffer> {
  return sharp(scene(width, height, seed), { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer();
}

async function submit(key: string, bytes: Buffer): Promise<Submitted> {
  const bucket = config.storage.uploadsBucket;
  await store.putBytes(bucket, key, bytes, { contentType: 'application/octet-stream' });
  const { etag, versionId } = await store.stat(bucket, key);
  const job = jobOf({ bucket, key, etag, versionId, size: bytes.length });
  const handle = await client.temporal.workflow.start('processImage', {
    taskQueue: config.queues.media,
    workflowId: job.workflowId,
    args: [job, config.queues],
  });
  return { job, handle };
}

/** `ready`, or the code of its error. */
async function endOf({ job, handle }: Submitted): Promise<string> {
  await handle.result().catch(() => undefined);
  const document: AssetDocument | null | undefined = (await catalogue.find(job.assetId))?.document;
  return document?.error?.code ?? document?.state ?? 'unknown';
}

async function bystanders(name: string): Promise<Submitted[]> {
  return Promise.all([1, 2, 3, 4].map(async (n) => submit(`${name}-${n}.jpg`, await picture(120, 90, n))));
}

async function expectReady(all: readonly Submitted[]): Promise<void> {
  expect(await Promise.all(all.map(endOf))).toEqual(all.map(() => 'ready'));
}

test('a decoder that crashes once costs its picture a second try, and no other anything', async () => {
  const large = await picture(5400, 3600, 11);
  const { struck, stop } = hunt(worker.pid, worker.scratch, large.length, 'SIGSEGV', 1);
  const victim = await submit('once.jpg', large);
  const others = await bystanders('once');
  expect(await endOf(victim)).toBe('ready');
  stop();
  expect(struck).toHaveLength(1);
  await expectReady(others);
  expect(isAlive(worker.pid)).toBe(true);
});

test.each([
  ['crashes', 'SIGKILL', 'DECODER_CRASHED'],
  ['hangs', 'SIGSTOP', 'DECODER_TIMEOUT'],
] as const)(
  'a picture on which the decoder %s each time fails alone; the same bytes are not decoded again until they may',
  async (name, signal, code) => {
    const large = await picture(5400, 3600, name.length);
    const { struck, stop } = hunt(worker.pid, worker.scratch, large.length, signal);
    const victim = await submit(`${name}.jpg`, large);
    const others = await bystanders(name);
    expect(await endOf(victim)).toBe(code);
    await expectReady(others);
    stop();
    // One retry, in a fresh child, and none by Temporal.
    expect(struck).toHaveLength(2);
    await until('both are gone', () => !struck.some(isAlive), 20_000);

    // Nobody strikes any more: it is refused for what it did.
    expect(await endOf(await submit(`${name} again.jpg`, large))).toBe(code);
    const [entry] = (await catalogue.listQuarantine(10)).filter(({ assetId }) => assetId === victim.job.assetId);
    expect(entry).toMatchObject({ verdict: { code } });
    await catalogue.liftQuarantine(entry!.sha256);
    expect(await endOf(await submit(`${name} at last.jpg`, large))).toBe('ready');
  },
);

test('good pictures among bombs are all made, and the worker lives', async () => {
  const collapses = (): number => worker.log.filter((line) => line.includes('An image process gave way')).length;
  const before = collapses();
  const bombs = BOMBS.filter(({ fromHeader }) => fromHeader);
  const all = await Promise.all(
    bombs.map(async ({ name, make, verdict }, n) => ({
      verdict,
      bomb: await submit(`mixed-${name}`, await make()),
      good: await submit(`mixed-${n}.jpg`, await picture(120, 90, 100 + n)),
    })),
  );
  for (const { verdict, bomb, good } of all) {
    expect(await endOf(bomb)).toMatch(verdict);
    expect(await endOf(good)).toBe('ready');
  }
  expect(collapses()).toBe(before);
  expect(isAlive(worker.pid)).toBe(true);
});

test('a worker that is killed leaves no decoder behind, and another makes its picture', async () => {
  const large = await picture(2400, 1800, 77);
  const { struck, stop } = hunt(worker.pid, worker.scratch, large.length, 'SIGSTOP', 1);
  const victim = await submit('worker.jpg', large);
  await until('its decoder is at work', () => struck.length === 1, 30_000);
  stop();
  const orphans = descendants(worker.pid).map(({ pid }) => pid);
  expect(orphans).toEqual(expect.arrayContaining([...struck]));
  worker.kill('SIGKILL');
  await worker.exited;
  await until('no child of the dead worker lives', () => !orphans.some(isAlive), 20_000);
  worker = await startWorker();
  expect(await endOf(victim)).toBe('ready');
});
