/** Deleting, cancelling, reprocessing and holding assets: real workers, real servers. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cancelAsset } from '../../src/api/lifecycle/cancel-asset.js';
import { deleteAsset } from '../../src/api/lifecycle/delete-asset.js';
import { setLegalHold } from '../../src/api/lifecycle/legal-hold.js';
import { reprocessAsset } from '../../src/api/lifecycle/reprocess-asset.js';
import type { ApiProblem } from '../../src/api/problems.js';
import { setHold } from '../../src/catalogue/lifecycle.js';
import { outputPrefix } from '../../src/contracts/assets.js';
import { makeVideo } from '../../src/local/samples.js';
import { openEstate, photo, SMALL, SMALLER, unheard, type Estate } from '../support/estate.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';

const stack = useStack();
let dir: string;
let estate: Estate;
let short: Buffer;
let long: Buffer;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-lifecycle-'));
  short = await readFile(await makeVideo(join(dir, 'short.mp4'), { seconds: 4, width: 320, height: 180 }));
  long = await readFile(await makeVideo(join(dir, 'long.mp4'), { seconds: 60, width: 320, height: 180 }));
  estate = await openEstate(await stack.isolated({ database: true }), dir);
}, 300_000);

afterAll(async () => {
  await estate?.close();
  await rm(dir, { recursive: true, force: true });
});

const media = (): string => estate.config.storage.mediaBucket;
const uploads = (): string => estate.config.storage.uploadsBucket;
const name = (ending = '.mp4'): string => `${randomUUID()}${ending}`;
const refusal = (request: Promise<unknown>): Promise<string> =>
  request.then(
    () => 'none',
    (error: ApiProblem) => error.problem,
  );
const isPurged = { what: 'purged', is: ({ purgedAt }: { purgedAt: Date | null }) => purgedAt !== null };

test('a deleted asset leaves a tombstone, and nothing else', async () => {
  const { ctx, caller } = estate;
  const job = await estate.submit(name('.jpg'), await photo(), { metadata: { author: 'someone' } });
  const ready = await estate.reaches(job, 'ready', ({ state }) => state === 'ready');
  expect(await refusal(deleteAsset(ctx, { ...caller, tenant: 'other' }, job.assetId))).toBe('asset-unknown');
  expect(await refusal(deleteAsset(ctx, caller, job.assetId, { revision: ready.revision - 1 }))).toBe(
    'precondition-failed',
  );
  expect(await refusal(deleteAsset(ctx, { ...caller, scopes: ['read'] }, job.assetId))).toBe('forbidden');

  const deleted = await deleteAsset(ctx, caller, job.assetId, { revision: ready.revision });
  expect(deleted).toMatchObject({ state: 'deleted', metadata: {}, title: null, fileName: null });
  const gone = await estate.reaches(job, isPurged.what, isPurged.is);
  expect(gone).toMatchObject({ state: 'deleted', document: null, job: null, outputsPrefix: null });
  expect(await estate.keys(media(), `assets/${job.assetId}`)).toEqual([]);
  expect(await estate.keys(uploads(), job.source.key)).toEqual([]);
  expect((await ctx.catalogue.history(job.assetId)).map(({ to, by }) => `${to} by ${by}`)).toEqual([
    'processing by makeImage',
    'ready by makeImage',
    'deleted by delete',
  ]);

  // Again, and late: neither a second request nor the same upload once more changes anything.
  expect((await deleteAsset(ctx, caller, job.assetId)).revision).toBe(gone.revision);
  expect(await ctx.catalogue.transition(job, { to: 'processing', by: 'late' })).toBe(false);
  expect(await refusal(cancelAsset(ctx, caller, job.assetId))).toBe('asset-deleted');
  expect(await refusal(reprocessAsset(ctx, caller, job.assetId, {}))).toBe('asset-deleted');
}, 300_000);

test('an asset that is deleted while it is encoded is gone, and stays gone', async () => {
  const { ctx, caller } = estate;
  const job = await estate.submit(name(), unheard(long));
  await estate.reaches(job, 'playable', ({ state }) => state === 'playable');
  await deleteAsset(ctx, caller, job.assetId);
  await estate.reaches(job, isPurged.what, isPurged.is);
  expect(await estate.keys(media(), `assets/${job.assetId}`)).toEqual([]);
  expect(await estate.keys(uploads(), job.source.key)).toEqual([]);
  const { status } = await ctx.temporal.workflow.getHandle(job.workflowId).describe();
  expect(status.name).toBe('CANCELLED');
  expect((await ctx.catalogue.find(job.assetId))?.state).toBe('deleted');
  // The same bytes under the same name are the same upload: whoever starts it once more gets nothing.
  await ctx.temporal.workflow
    .execute('processVideo', {
      taskQueue: estate.config.queues.media,
      workflowId: `${job.workflowId}/late`,
      args: [{ ...job, workflowId: `${job.workflowId}/late` }, estate.config.queues],
    })
    .catch(() => undefined);
  expect(await estate.keys(media(), `assets/${job.assetId}`)).toEqual([]);
}, 300_000);

test('all versions of an upload go, and those of other uploads of the same name stay', async () => {
  const { ctx, caller } = estate;
  const bucket = await estate.versionedBucket();
  const key = name('.jpg');
  const first = await estate.submit(key, await photo(), {}, { bucket });
  await estate.reaches(first, 'ready', ({ state }) => state === 'ready');
  const second = await estate.submit(key, await photo(), {}, { bucket });
  await estate.reaches(second, 'ready', ({ state }) => state === 'ready');
  expect(await estate.keys(bucket)).toEqual([key, key]);

  await deleteAsset(ctx, caller, first.assetId);
  await estate.reaches(first, isPurged.what, isPurged.is);
  expect(await estate.keys(bucket)).toEqual([key]);
  expect((await ctx.store.stat(bucket, key)).versionId).toBe(second.source.versionId);
  await deleteAsset(ctx, caller, second.assetId);
  await estate.reaches(second, isPurged.what, isPurged.is);
  expect(await estate.keys(bucket)).toEqual([]);
}, 300_000);

test('cancelling ends the work; what has ended stays as it is', async () => {
  const { ctx, caller } = estate;
  const job = await estate.submit(name(), unheard(long));
  await estate.reaches(job, 'playable', ({ state }) => state === 'playable');
  expect(await refusal(cancelAsset(ctx, { ...caller, tenant: 'other' }, job.assetId))).toBe('asset-unknown');
  await cancelAsset(ctx, caller, job.assetId);
  const row = await estate.reaches(job, 'cancelled', ({ state }) => state === 'cancelled');
  expect(row.error?.code).toBe('CANCELLED');
  expect((await cancelAsset(ctx, caller, job.assetId)).revision).toBe(row.revision);
  expect(await estate.keys(media(), `assets/${job.assetId}`)).toEqual([`${outputPrefix(job.assetId, 1)}asset.json`]);
}, 300_000);

test('what has not begun is cancelled without a workflow, and never begins', async () => {
  const { ctx, caller } = estate;
  const job = await estate.submit(name('.jpg'), await photo());
  await estate.reaches(job, 'ready', ({ state }) => state === 'ready');
  const next = { ...job, generation: 2, workflowId: `${job.workflowId}/g2` };
  await ctx.catalogue.transition(next, { to: 'received', by: 'test' });
  expect(await cancelAsset(ctx, caller, job.assetId)).toMatchObject({ state: 'cancelled', generation: 1 });
  // Somebody starts it nonetheless.
  const failure = await ctx.temporal.workflow
    .execute('processImage', {
      taskQueue: estate.config.queues.media,
      workflowId: next.workflowId,
      args: [next, estate.config.queues],
    })
    .then(
      () => 'none',
      (error: { cause?: { type?: string } }) => error.cause?.type,
    );
  expect(failure).toBe('CANCELLED');
  expect(await ctx.catalogue.find(job.assetId)).toMatchObject({ state: 'cancelled', generation: 1 });
}, 300_000);

test('a new generation plays from the moment that it is published, the one before it until then', async () => {
  const { ctx, caller } = estate;
  const film = unheard(short);
  const job = await estate.submit(name(), film);
  const first = await estate.reaches(job, 'ready', ({ state }) => state === 'ready');
  expect(await refusal(reprocessAsset(ctx, caller, job.assetId, { profile: 'nonsense' }))).toBe('invalid-request');
  expect(await refusal(reprocessAsset(ctx, caller, job.assetId, {}, { revision: 1 }))).toBe('precondition-failed');

  const begun = await reprocessAsset(ctx, caller, job.assetId, { profile: SMALLER, priority: 2 });
  expect(begun).toMatchObject({ state: 'received', generation: 1, begun: 2, profile: SMALLER, priority: 2 });
  expect(begun.document).toEqual(first.document);
  expect(await refusal(reprocessAsset(ctx, caller, job.assetId, {}))).toBe('conflict');
  const second = await estate.reaches(job, 'the second generation', ({ generation }) => generation === 2);
  expect(second).toMatchObject({ state: 'ready', outputsPrefix: outputPrefix(job.assetId, 2) });
  expect(second.document?.renditions.map(({ name: rendition }) => rendition)).not.toContain('180p');
  // For those who still watch it.
  expect(await estate.keys(media(), outputPrefix(job.assetId, 1))).not.toEqual([]);

  // One that comes to nothing takes nothing away.
  const { etag } = job.source;
  await ctx.store.putBytes(uploads(), job.source.key, Buffer.from('something else'), { contentType: 'video/mp4' });
  expect(await refusal(reprocessAsset(ctx, caller, job.assetId, {}))).toBe('conflict');
  await ctx.store.putBytes(uploads(), job.source.key, film, { contentType: 'video/mp4' });
  expect((await ctx.store.stat(uploads(), job.source.key)).etag).toBe(etag);
  await reprocessAsset(ctx, caller, job.assetId, { profile: SMALL });
  await cancelAsset(ctx, caller, job.assetId);
  const third = await estate.reaches(job, 'cancelled', ({ state }) => state === 'cancelled');
  expect(third).toMatchObject({ begun: 3, generation: 2, outputsPrefix: outputPrefix(job.assetId, 2) });
  expect(third.document).toEqual(second.document);
}, 300_000);

test('single renditions are made again in the generation that is published', async () => {
  const { ctx, caller } = estate;
  const film = unheard(short);
  const job = await estate.submit(name(), film);
  await estate.reaches(job, 'ready', ({ state }) => state === 'ready');
  expect(await refusal(reprocessAsset(ctx, caller, job.assetId, { renditions: ['4320p'] }))).toBe('invalid-request');
  const segment = `${outputPrefix(job.assetId, 1)}video/90p/seg-00000.m4s`;
  await ctx.store.remove(media(), [segment]);
  await reprocessAsset(ctx, caller, job.assetId, { renditions: ['90p'] });
  await until('mended', async () => (await estate.keys(media(), segment)).length > 0, 240_000);
  expect(await ctx.catalogue.find(job.assetId)).toMatchObject({ state: 'ready', generation: 1, begun: 1 });
}, 300_000);

test('a legal hold wins over whoever deletes', async () => {
  const { ctx, caller } = estate;
  const job = await estate.submit(name('.jpg'), await photo());
  await estate.reaches(job, 'ready', ({ state }) => state === 'ready');
  expect(await refusal(setLegalHold(ctx, { ...caller, scopes: ['write'] }, job.assetId, true))).toBe('forbidden');
  expect(await setHold(ctx.db, 'other', job.assetId, true)).toBeUndefined();
  expect((await setLegalHold(ctx, caller, job.assetId, true)).legalHold).toBe(true);
  expect(await refusal(deleteAsset(ctx, caller, job.assetId))).toBe('legal-hold');
  // Nor does anything that forgets to ask.
  await expect(ctx.catalogue.transition(job, { to: 'deleted', by: 'test' })).rejects.toThrow(/violates check/);
  expect((await ctx.catalogue.find(job.assetId))?.state).toBe('ready');
  await setLegalHold(ctx, caller, job.assetId, false);
  await deleteAsset(ctx, caller, job.assetId);
  await estate.reaches(job, isPurged.what, isPurged.is);
  expect((await ctx.catalogue.history(job.assetId)).map(({ by }) => by)).toEqual([
    ...['makeImage', 'makeImage', 'legal hold', 'legal hold released', 'delete'],
  ]);
}, 300_000);
