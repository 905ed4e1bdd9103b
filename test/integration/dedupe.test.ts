/** The same bytes uploaded twice: made once, played from one place, deleted one by one. */
import { createHash, randomInt, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { randomFrom } from '../../bench/support/random.js';
import { cancelAsset } from '../../src/api/lifecycle/cancel-asset.js';
import { deleteAsset } from '../../src/api/lifecycle/delete-asset.js';
import { reprocessAsset } from '../../src/api/lifecycle/reprocess-asset.js';
import type { AssetRow } from '../../src/catalogue/catalogue.js';
import { outputPrefix, type Job } from '../../src/contracts/assets.js';
import { makeVideo } from '../../src/local/samples.js';
import { openEstate, photo, SMALL, SMALLER, surveyed, unheard, type Estate } from '../support/estate.js';
import type { Progress } from '../../src/contracts/progress.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';

const stack = useStack();
let dir: string;
let estate: Estate;
let film: Buffer;
let longFilm: Buffer;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-dedupe-'));
  film = await readFile(await makeVideo(join(dir, 'short.mp4'), { seconds: 2, width: 160, height: 90 }));
  longFilm = await readFile(await makeVideo(join(dir, 'long.mp4'), { seconds: 40, width: 320, height: 180 }));
  estate = await openEstate(await stack.isolated({ database: true }), dir);
}, 300_000);

afterAll(async () => {
  await estate?.close();
  await rm(dir, { recursive: true, force: true });
});

const name = (ending = '.mp4'): string => `${randomUUID()}${ending}`;
const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const media = (): string => estate.config.storage.mediaBucket;
const isReady = ({ state }: AssetRow): boolean => state === 'ready';
const isPurged = ({ purgedAt }: AssetRow): boolean => purgedAt !== null;

async function remove(job: Job): Promise<void> {
  await deleteAsset(estate.ctx, estate.caller, job.assetId);
  await estate.reaches(job, 'purged', isPurged);
}

/** Steps that a workflow asked for. */
async function steps({ workflowId }: Job): Promise<string[]> {
  const { events } = await estate.ctx.temporal.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled ? [scheduled.activityType?.name ?? ''] : [],
  );
}

test('of two images of the same bytes the second plays what the first one made, and outlives it', async () => {
  const bytes = await photo();
  const first = await estate.submit(name('.jpg'), bytes);
  const made = await estate.reaches(first, 'ready', isReady);
  const second = await estate.submit(name('.jpg'), bytes, { metadata: { who: 'second' } });
  const twin = await estate.reaches(second, 'ready', isReady);
  expect(twin).toMatchObject({ outputsPrefix: outputPrefix(first.assetId, 1), sourceSha256: sha256Of(bytes) });
  expect(twin.metadata).toEqual({ who: 'second' });
  expect(twin.document).toMatchObject({
    id: second.assetId,
    workflowId: second.workflowId,
    source: { key: second.source.key },
    renditions: made.document!.renditions,
    image: made.document!.image,
  });
  expect(await steps(second)).toEqual(['makeImage']);
  expect(await estate.keys(media(), `assets/${second.assetId}/`)).toEqual([
    `${outputPrefix(second.assetId, 1)}asset.json`,
  ]);

  await remove(first);
  const kept = await estate.keys(media(), outputPrefix(first.assetId, 1));
  expect(kept.length).toBeGreaterThan(1);
  // What the first stood for, the second stands for now.
  const third = await estate.submit(name('.jpg'), bytes);
  expect((await estate.reaches(third, 'ready', isReady)).outputsPrefix).toBe(outputPrefix(first.assetId, 1));
  expect(await surveyed(estate)).toEqual([]);
  await remove(second);
  expect(await estate.keys(media(), outputPrefix(first.assetId, 1))).toEqual(kept);
  await remove(third);
  expect(await estate.keys(media(), outputPrefix(first.assetId, 1))).toEqual([]);
  expect(await surveyed(estate)).toEqual([]);
}, 300_000);

test('another tenant, another profile, another crop: made on its own', async () => {
  const bytes = await photo();
  const first = await estate.submit(name('.jpg'), bytes);
  await estate.reaches(first, 'ready', isReady);
  for (const own of [{ tenant: 'other' }, { profile: SMALLER }, { metadata: { 'focal-point': '0.1,0.9' } }]) {
    const job = await estate.submit(name('.jpg'), bytes, own);
    expect((await estate.reaches(job, 'ready', isReady)).outputsPrefix).toBe(outputPrefix(job.assetId, 1));
  }
}, 300_000);

test('of many at once one is made', async () => {
  const bytes = await photo();
  const jobs = await Promise.all(Array.from({ length: 12 }, () => estate.submit(name('.jpg'), bytes)));
  const rows = await Promise.all(jobs.map((job) => estate.reaches(job, 'ready', isReady)));
  expect(new Set(rows.map(({ outputsPrefix }) => outputsPrefix)).size).toBe(1);
  expect(await surveyed(estate)).toEqual([]);
}, 300_000);

test('a video of known bytes is published without being inspected; one of the same size is hashed first', async () => {
  const bytes = unheard(film);
  const first = await estate.submit(name(), bytes);
  const made = await estate.reaches(first, 'ready', isReady);
  expect(await steps(first)).toContain('hashSource');
  expect(made.sourceSha256).toBe(sha256Of(bytes));

  const second = await estate.submit(name(), bytes, {}, { sha256: sha256Of(bytes) });
  const twin = await estate.reaches(second, 'ready', isReady);
  const third = await estate.submit(name(), bytes);
  const other = await estate.reaches(third, 'ready', isReady);
  for (const row of [twin, other]) {
    expect(row).toMatchObject({ outputsPrefix: made.outputsPrefix, duration: made.duration, kind: 'video' });
    expect(row.document!.playback).toEqual(made.document!.playback);
  }
  expect(await steps(second)).toEqual(['inspectMedia']);
  expect(await steps(third)).toEqual(['inspectMedia']);

  // A twin that is made again has its own outputs; those who play the old ones keep them.
  await reprocessAsset(estate.ctx, estate.caller, second.assetId, {});
  const remade = await estate.reaches(second, 'made again', (row) => isReady(row) && row.generation === 2);
  expect(remade.outputsPrefix).toBe(outputPrefix(second.assetId, 2));
  await remove(first);
  expect(await surveyed(estate)).toEqual([]);
  expect((await estate.keys(media(), made.outputsPrefix!)).length).toBeGreaterThan(5);
  await remove(third);
  expect(await estate.keys(media(), made.outputsPrefix!)).toEqual([]);
  expect(await surveyed(estate)).toEqual([]);
}, 300_000);

test('a twin waits for the one that is being made, and takes its place when nothing comes of it', async () => {
  const bytes = unheard(longFilm);
  const sha256 = sha256Of(bytes);
  const first = await estate.submit(name(), bytes, { profile: SMALL }, { sha256 });
  await estate.reaches(first, 'processing', ({ state, kind }) => state !== 'received' && kind !== null);
  const second = await estate.submit(name(), bytes, { profile: SMALL }, { sha256 });
  await estate.reaches(second, 'processing', ({ state }) => state === 'processing');
  await cancelAsset(estate.ctx, estate.caller, first.assetId);
  await estate.reaches(first, 'cancelled', ({ state }) => state === 'cancelled');
  await estate.reaches(second, 'playable', ({ state }) => state === 'playable' || state === 'ready');
  expect((await steps(second)).slice(0, 3)).toEqual(['inspectMedia', 'awaitTwin', 'inspectMedia']);

  // And deleting the one that is being made frees those who wait for it, too.
  const third = await estate.submit(name(), bytes, { profile: SMALL }, { sha256 });
  await estate.reaches(third, 'processing', ({ state }) => state === 'processing');
  await deleteAsset(estate.ctx, estate.caller, second.assetId);
  await estate.reaches(third, 'playable', ({ state }) => state === 'playable' || state === 'ready');
  await cancelAsset(estate.ctx, estate.caller, third.assetId);
  await estate.reaches(third, 'over', ({ state }) => state === 'cancelled' || state === 'ready');
  await estate.reaches(second, 'purged', isPurged);
  expect(await surveyed(estate)).toEqual([]);
}, 300_000);

test('what is mended in one place is told by all who play from there', async () => {
  const { ctx, caller } = estate;
  const bytes = unheard(longFilm);
  const first = await estate.submit(name(), bytes);
  await estate.reaches(first, 'processing', ({ kind }) => kind !== null);
  // The step that finds out tells the catalogue before it tells its workflow.
  const handle = ctx.temporal.workflow.getHandle(first.workflowId);
  await until(
    'it is planned',
    async () => (await handle.query<Progress>('progress')).parts.some((part) => part.name === '180p'),
    60_000,
  );
  await handle.executeUpdate('cancelRendition', { args: ['180p'] });
  const isPartial = ({ state }: AssetRow): boolean => state === 'partial';
  await estate.reaches(first, 'partial', isPartial);
  const second = await estate.submit(name(), bytes, {}, { sha256: sha256Of(bytes) });
  const before = await estate.reaches(second, 'partial', isPartial);
  expect(before.document!.missing!.map((part) => part.name)).toEqual(['180p']);
  // A twin has no parts of its own.
  const { outputsPrefix } = before;
  await reprocessAsset(ctx, caller, first.assetId, { renditions: ['180p'] });
  const mended = await estate.reaches(first, 'ready', isReady);
  const told = await estate.reaches(second, 'ready', isReady);
  expect(told).toMatchObject({ outputsPrefix, generation: 1 });
  expect(told.document!.renditions).toEqual(mended.document!.renditions);
  expect(told.document!.timings).toEqual(before.document!.timings);
  expect(await surveyed(estate)).toEqual([]);
}, 300_000);

test('uploads and deletions of the same few pictures, all at once: nothing is lost, nothing is left', async () => {
  const { ctx, caller } = estate;
  const seed = randomInt(2 ** 31);
  const random = randomFrom(seed);
  const pictures = await Promise.all([1, 2, 3].map(() => photo()));
  const one = async (): Promise<{ job: Job; isDeleted: boolean }> => {
    await sleep(random() * 4_000);
    const job = await estate.submit(name('.jpg'), pictures[Math.floor(random() * 3)]!, { tenant: 'acme' });
    const isDeleted = random() < 0.6;
    if (isDeleted) {
      await sleep(random() * 3_000);
      await until('it has a row', async () => (await ctx.catalogue.find(job.assetId)) !== undefined, 60_000);
      await deleteAsset(ctx, caller, job.assetId);
    }
    return { job, isDeleted };
  };
  try {
    const all = await Promise.all(Array.from({ length: 40 }, one));
    for (const { job, isDeleted } of all)
      await estate.reaches(job, isDeleted ? 'purged' : 'ready', isDeleted ? isPurged : isReady);
    expect(await surveyed(estate)).toEqual([]);
    const living = all.filter(({ isDeleted }) => !isDeleted).map(({ job }) => job);
    for (const job of living) await deleteAsset(ctx, caller, job.assetId);
    for (const job of living) await estate.reaches(job, 'purged', isPurged);
    expect(await surveyed(estate)).toEqual([]);
    for (const { job } of all) expect(await estate.keys(media(), `assets/${job.assetId}/`)).toEqual([]);
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  }
}, 300_000);
