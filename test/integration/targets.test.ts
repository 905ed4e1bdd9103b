/** What targets are given of a published video: real stores behind a proxy that sees and breaks, real receivers. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';

import type { ActivityContext } from '../../src/activities/context.js';
import { createDeliver } from '../../src/activities/deliver/deliver.js';
import { createPublishMedia } from '../../src/activities/publish/publish-media.js';
import { findDeliveries, wantDeliveries } from '../../src/catalogue/deliveries.js';
import type { Delivered } from '../../src/contracts/activities.js';
import { outputPrefix, type Job } from '../../src/contracts/assets.js';
import { merge } from '../../src/local/addresses.js';
import { createLogger } from '../../src/logging/index.js';
import { openContext, type OpenContext } from '../../src/workers/context.js';
import { jobOf, makeOutputs, type Outputs } from '../activities/video/published.js';
import { openReceiver, type Receiver } from '../support/receiver.js';
import { useStack } from '../support/stack.js';
import { createStoreProxy, type StoreProxy } from '../support/store-proxy.js';
import { failureOf } from '../tools/support.js';

jest.setTimeout(60_000);

const stack = useStack();
let dir: string;
let open: OpenContext;
let context: ActivityContext;
let outputs: Outputs;
let proxy: StoreProxy;
let receiver: Receiver;
let media: string;
let archive: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-targets-'));
  const isolated = await stack.isolated({ database: true });
  const { endpoint, accessKey, secretKey, mediaBucket } = isolated.storage;
  media = mediaBucket;
  archive = `${mediaBucket}-archive`;
  proxy = createStoreProxy(endpoint);
  receiver = await openReceiver();
  const bucket = { type: 'bucket', endpoint: await proxy.door('archive'), accessKey, secretKey, bucket: archive };
  const targets = {
    archive: bucket,
    stranger: { ...bucket, secretKey: 'not the secret of anybody' },
    nowhere: { ...bucket, bucket: `${archive}-nowhere` },
    told: { type: 'webhook', url: receiver.url },
    nobody: { type: 'simulated', startSeconds: 0.2 },
  };
  await writeFile(join(dir, 'targets.yaml'), JSON.stringify(targets));
  const config = merge(isolated, {
    scratch: { dir: join(dir, 'scratch') },
    log: { level: 'error' },
    publishers: { targets: join(dir, 'targets.yaml') },
    // An answer that does not come is given up soon.
    storage: { timeoutSeconds: 2 },
  });
  open = await openContext(config, createLogger(config.log), { tools: false });
  context = open.activities;
  await context.store.ensureBucket(archive);
  outputs = await makeOutputs();
}, 240_000);
afterAll(async () => {
  await open?.close();
  await receiver?.close();
  await proxy?.close();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(() => {
  proxy.fault = () => undefined;
});

const inArchive = ({ assetId }: Job): string[] =>
  proxy.requests.filter(({ method, key }) => method === 'PUT' && key.includes(assetId)).map(({ key }) => key);
const keyOf = (job: Job, name: string): string => outputPrefix(job.assetId, job.generation) + name;

async function published(): Promise<Job> {
  const job = jobOf(randomUUID());
  for (const [name, bytes] of outputs.files)
    await context.store.putBytes(media, keyOf(job, name), bytes, { contentType: 'application/octet-stream' });
  const request = {
    ...{ job, plan: outputs.plan, startedAt: '2026-01-01T00:00:01.000Z', made: outputs.made(job), lastTry: false },
  };
  expect(await new MockActivityEnvironment().run(createPublishMedia(context), request)).toMatchObject({
    outcome: 'published',
    state: 'ready',
  });
  return job;
}

function deliver({ assetId, generation, tenant }: Job, target: string): Promise<Delivered> {
  return new MockActivityEnvironment().run(createDeliver(context), { assetId, generation, tenant, target });
}

const refusal = async (job: Job, target: string): Promise<ApplicationFailure> =>
  (await failureOf(deliver(job, target))) as ApplicationFailure;

async function etags(bucket: string, job: Job): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { key, etag } of context.store.list(bucket, keyOf(job, ''))) found.set(key, etag);
  return found;
}

/** Of all but `asset.json`, which is another one there. */
async function expectCopied(job: Job): Promise<void> {
  const own = await etags(media, job);
  for (const name of ['plan.json', 'made.json', 'asset.json']) own.delete(keyOf(job, name));
  const copied = await etags(archive, job);
  expect(copied.delete(keyOf(job, 'asset.json'))).toBe(true);
  expect(copied).toEqual(own);
}

test('a copy names nothing before it is there', async () => {
  const job = await published();
  await deliver(job, 'archive');
  await expectCopied(job);
  const written = inArchive(job);
  const rank = (key: string): number => {
    if (key.endsWith('/asset.json')) return 3;
    if (/(master\.m3u8|manifest\.mpd)$/.test(key)) return 2;
    return key.endsWith('.m3u8') ? 1 : 0;
  };
  expect(written.map(rank)).toEqual(written.map(rank).sort());
  expect(new Set(written.map(rank))).toEqual(new Set([0, 1, 2, 3]));
});

test('what was broken off goes on where it ended; what was damaged or is published no more is put right', async () => {
  const job = await published();
  const segment = keyOf(job, 'video/180p/seg-00002.m4s');
  proxy.fault = ({ method, key }) => (method === 'PUT' && key === segment ? 503 : undefined);
  expect(await refusal(job, 'archive')).toMatchObject({
    type: 'TARGET_UNAVAILABLE',
    nonRetryable: false,
  });
  expect((await etags(archive, job)).has(keyOf(job, 'master.m3u8'))).toBe(false);
  const first = new Set(await etags(archive, job));
  proxy.fault = () => undefined;
  const before = inArchive(job).length;
  await deliver(job, 'archive');
  await expectCopied(job);
  const again = inArchive(job).slice(before);
  expect(again.filter((key) => [...first].some(([copied]) => copied === key))).toEqual([]);

  const damaged = keyOf(job, 'video/90p/seg-00001.m4s');
  const options = { contentType: 'video/mp4' };
  await context.store.putBytes(archive, damaged, Buffer.alloc(10), options);
  await context.store.putBytes(archive, keyOf(job, 'video/360p/init.mp4'), Buffer.alloc(10), options);
  const after = inArchive(job).length;
  await deliver(job, 'archive');
  await expectCopied(job);
  expect(inArchive(job).slice(after)).toEqual([damaged, keyOf(job, 'asset.json')]);
});

test.each([
  ['stranger', 'Its store refuses or can not be reached.'],
  ['nowhere', 'There is no such bucket.'],
])('a bucket that can not be written to says so before anything is copied: %s', async (target, sentence) => {
  const job = await published();
  const failure = await refusal(job, target);
  expect(failure).toMatchObject({ type: 'TARGET_UNAVAILABLE', nonRetryable: false });
  expect(failure.message).toContain('No publisher could be started.');
  expect(failure.message).toContain(sentence);
  expect(inArchive(job)).toEqual([]);
});

test('nobody is told by way of a network that is not public', async () => {
  const job = await published();
  const failure = await refusal(job, 'told');
  expect(failure.message).toContain('It is not HTTPS.');
  expect(receiver.received).toEqual([]);
});

test('only what is published is delivered, to targets that there are', async () => {
  const job = jobOf(randomUUID());
  expect(await refusal(job, 'archive')).toMatchObject({
    type: 'OBJECT_GONE',
    nonRetryable: true,
  });
  expect(await refusal(job, 'elsewhere')).toMatchObject({
    type: 'TARGET_UNKNOWN',
    nonRetryable: true,
  });
  // An exercise has no assets.
  expect(await deliver(job, 'nobody')).toMatchObject({ target: 'nobody' });
  expect(await findDeliveries(context.db, job)).toEqual([]);
});

test('what is delivered to nobody is noted, too, of an asset that there is', async () => {
  const job = await published();
  await wantDeliveries(context.db, job, [{ name: 'nobody', required: true }]);
  await deliver(job, 'nobody');
  expect(await findDeliveries(context.db, job)).toMatchObject([{ target: 'nobody', state: 'delivered' }]);
});
