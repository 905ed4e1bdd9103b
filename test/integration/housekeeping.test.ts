/** Retention, and the search for what was lost: on real servers. */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { sql } from 'kysely';

import type { Finding } from '../../src/activities/housekeeping/findings.js';
import { mend } from '../../src/activities/housekeeping/mend.js';
import { survey } from '../../src/activities/housekeeping/survey.js';
import { deleteAsset } from '../../src/api/lifecycle/delete-asset.js';
import { setLegalHold } from '../../src/api/lifecycle/legal-hold.js';
import { reprocessAsset } from '../../src/api/lifecycle/reprocess-asset.js';
import type { AssetRow } from '../../src/catalogue/catalogue.js';
import { enqueue } from '../../src/catalogue/outbox.js';
import { setTenantSettings } from '../../src/catalogue/tenants.js';
import { ensureHousekeeping, housekeepingIdOf } from '../../src/client/housekeeping.js';
import { outputPrefix, type Job } from '../../src/contracts/assets.js';
import type { Counts } from '../../src/contracts/lifecycle.js';
import { apiPrefixOf, stagingPrefixOf } from '../../src/contracts/uploads.js';
import { jobOf } from '../support/job.js';
import { openEstate, photo, SMALLER, surveyed, type Estate } from '../support/estate.js';
import { until } from '../support/processes.js';
import { processEnv, useStack } from '../support/stack.js';

const stack = useStack();
let dir: string;
let estate: Estate;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-housekeeping-'));
  estate = await openEstate(await stack.isolated({ database: true }), dir);
}, 300_000);

afterAll(async () => {
  await estate?.close();
  await rm(dir, { recursive: true, force: true });
});

const media = (): string => estate.config.storage.mediaBucket;
const uploads = (): string => estate.config.storage.uploadsBucket;
const name = (): string => `${randomUUID()}.jpg`;
const isReady = ({ state }: AssetRow): boolean => state === 'ready';
const put = (bucket: string, key: string, bytes: string | Buffer = key): Promise<void> =>
  estate.ctx.store.putBytes(bucket, key, Buffer.from(bytes), { contentType: 'image/jpeg' });

async function ready(own: Partial<Job> = {}): Promise<Job> {
  const job = await estate.submit(name(), await photo(), own);
  await estate.reaches(job, 'ready', isReady);
  return job;
}

/** As if all that happened to them had happened so many days earlier. */
async function age(days: number, ...jobs: readonly Pick<Job, 'assetId'>[]): Promise<void> {
  const ids = jobs.map(({ assetId }) => assetId);
  const earlier = sql<string>`interval '1 day' * ${days}`;
  await estate.ctx.db
    .updateTable('assets')
    .set((eb) => ({
      created_at: sql<Date>`${eb.ref('created_at')} - ${earlier}`,
      updated_at: sql<Date>`${eb.ref('updated_at')} - ${earlier}`,
    }))
    .where('id', 'in', ids)
    .execute();
  await estate.ctx.db
    .updateTable('asset_history')
    .set((eb) => ({ at: sql<Date>`${eb.ref('at')} - ${earlier}` }))
    .where('asset_id', 'in', ids)
    .execute();
}

/** What the schedule starts. */
const keepHouse = (): Promise<Readonly<Record<string, Counts>>> =>
  estate.ctx.temporal.workflow.execute('housekeeping', {
    taskQueue: estate.config.queues.media,
    workflowId: `housekeeping-${randomUUID()}`,
    args: [estate.config.queues],
  });

const find = (job: Job): Promise<AssetRow | undefined> => estate.ctx.catalogue.find(job.assetId);
const isGone = (job: Job): Promise<AssetRow> => estate.reaches(job, 'purged', ({ purgedAt }) => purgedAt !== null);

test('by profile, else by tenant, else by the configuration; a hold wins over all', async () => {
  const { ctx, caller } = estate;
  await setTenantSettings(ctx.db, 'acme', {
    retention: { rawDays: 10, outputDays: -1 },
    profiles: { [SMALLER]: { retention: { outputDays: 20 } } },
  });
  const [young, old, held, short, shortHeld, elsewhere] = await Promise.all([
    ...[ready(), ready(), ready()],
    ...[ready({ profile: SMALLER }), ready({ profile: SMALLER }), ready({ tenant: 'other' })],
  ]);
  for (const job of [held!, shortHeld!]) await setLegalHold(ctx, caller, job.assetId, true);
  await age(9, young!);
  await age(30, old!, held!, short!, shortHeld!, elsewhere!);
  const done = await keepHouse();
  expect(done['applyRetention']).toEqual({ assets: 1, failedAssets: 0, rawUploads: 1 });

  await isGone(short!);
  expect(await estate.keys(uploads(), old!.source.key)).toEqual([]);
  expect(await find(old!)).toMatchObject({ state: 'ready', sourceRemovedAt: expect.any(Date) });
  for (const job of [young!, held!, shortHeld!, elsewhere!]) {
    expect(await find(job)).toMatchObject({ state: 'ready', sourceRemovedAt: null });
    expect(await estate.keys(uploads(), job.source.key)).toEqual([job.source.key]);
  }
  await expect(reprocessAsset(ctx, caller, old!.assetId, {})).rejects.toMatchObject({ problem: 'conflict' });
  expect(await surveyed(estate)).toEqual([]);
}, 300_000);

test('raw uploads that are not to be kept go with the step that publishes', async () => {
  await setTenantSettings(estate.ctx.db, 'hasty', { retention: { rawDays: 0 } });
  const bytes = await photo();
  const job = await estate.submit(name(), bytes, { tenant: 'hasty' });
  const row = await estate.reaches(job, 'its upload is gone', ({ sourceRemovedAt }) => sourceRemovedAt !== null);
  expect(row.state).toBe('ready');
  // The same for one that had nothing made of it.
  const twin = await estate.submit(name(), bytes, { tenant: 'hasty' });
  await estate.reaches(twin, 'its upload is gone', ({ sourceRemovedAt }) => sourceRemovedAt !== null);
  for (const { source } of [job, twin])
    await until('removed', async () => (await estate.keys(uploads(), source.key)).length === 0, 10_000);
}, 120_000);

test('what came to nothing is forgotten after a while, unless something earlier of it plays', async () => {
  const { ctx } = estate;
  const broken = await estate.submit(name(), Buffer.from('no picture'));
  const other = await ready();
  await estate.reaches(broken, 'failed', ({ state }) => state === 'failed');
  await ctx.catalogue.transition(
    { ...other, generation: 2, workflowId: `${other.workflowId}/g2` },
    { to: 'failed', by: 'test', error: { code: 'INTERNAL', message: '' } },
  );
  await age(31, broken, other);
  expect((await keepHouse())['applyRetention']).toMatchObject({ failedAssets: 1 });
  await isGone(broken);
  expect(await find(other)).toMatchObject({ state: 'failed', generation: 1 });
}, 120_000);

test('earlier generations go after a day, but for what others play', async () => {
  const { ctx, caller } = estate;
  const bytes = await photo();
  const job = await estate.submit(name(), bytes);
  await estate.reaches(job, 'ready', isReady);
  const twin = await estate.submit(name(), bytes);
  await estate.reaches(twin, 'ready', isReady);
  const again = async (generation: number): Promise<void> => {
    await reprocessAsset(ctx, caller, job.assetId, {});
    await estate.reaches(job, 'made again', (row) => row.generation === generation && isReady(row));
  };
  await again(2);
  await again(3);
  await keepHouse();
  expect(await estate.keys(media(), outputPrefix(job.assetId, 2))).not.toEqual([]);
  await age(2, job);
  expect((await keepHouse())['sweepAssets']).toMatchObject({ generations: 1 });
  expect(await estate.keys(media(), outputPrefix(job.assetId, 2))).toEqual([]);
  expect(await estate.keys(media(), outputPrefix(job.assetId, 1))).not.toEqual([]);
  expect((await keepHouse())['sweepAssets']).toMatchObject({ generations: 0 });
  expect(await surveyed(estate)).toEqual([]);
}, 120_000);

test('uploads that nobody ends are ended: complete where their object is there, else forgotten', async () => {
  const { db, store } = estate.ctx;
  const prefix = apiPrefixOf('');
  const bytes = await photo();
  const open = async (kind: 'put' | 'tus' | 'multipart', hours: number, sha256: string | null = null) => {
    const id = randomUUID().replaceAll('-', '').slice(0, 24);
    const key = `${prefix}acme/${id}`;
    await db
      .insertInto('uploads')
      .values({
        ...{ id, key, kind, sha256, tenant: 'acme', bucket: uploads(), size: kind === 'tus' ? null : bytes.length },
        facts: JSON.stringify({ profile: 'small', priority: 3 }),
        updated_at: sql<Date>`now() - interval '1 hour'`,
        expires_at: sql<Date>`now() + make_interval(hours => ${hours})`,
      })
      .execute();
    return { id, key };
  };
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const unheard = await open('put', 1, sha256);
  await put(uploads(), unheard.key, bytes);
  const lying = await open(
    'put',
    1,
    sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
  );
  await put(uploads(), lying.key, bytes);
  const running = await open('put', 1);
  const late = await open('put', -1);
  await put(uploads(), late.key, bytes);
  const expired = await open('tus', -1);
  await store.ensureBucket(estate.config.storage.stagingBucket);
  await put(estate.config.storage.stagingBucket, `${stagingPrefixOf(expired.id)}tail`);
  const given = await open('multipart', -1);
  await store.parts.begin(uploads(), given.key, { contentType: 'image/jpeg' });

  expect((await keepHouse())['sweepUploads']).toEqual({ completed: 2, expired: 2, failed: 1 });
  const states = await db.selectFrom('uploads').select(['id', 'state']).execute();
  const stateOf = ({ id }: { id: string }): string | undefined => states.find((row) => row.id === id)?.state;
  expect([unheard, late].map(stateOf)).toEqual(['complete', 'complete']);
  expect([lying, running, expired, given].map(stateOf)).toEqual(['failed', 'open', 'expired', 'expired']);
  expect(await estate.keys(uploads(), lying.key)).toEqual([]);
  expect(await estate.keys(estate.config.storage.stagingBucket, stagingPrefixOf(expired.id))).toEqual([]);
  const outbox = await db.selectFrom('asset_history').select('asset_id').where('step', '=', 'upload').execute();
  expect(outbox.length).toBe(2);
  for (const { asset_id: assetId } of outbox) await forget(assetId);
}, 120_000);

/** Nobody reads this test's upload events: its assets stay `received`, and are no business of the tests that follow. */
async function forget(assetId: string): Promise<void> {
  await estate.ctx.db.updateTable('assets').set({ state: 'cancelled' }).where('id', '=', assetId).execute();
}

test('work that was lost on its way is begun, and work that was ended by force has an end', async () => {
  const { ctx } = estate;
  const lost = await lostUpload('received');
  const shot = await lostUpload('processing');
  await ctx.temporal.workflow.start('processImage', {
    // Nobody polls it.
    taskQueue: `${estate.config.queues.media}-nobody`,
    workflowId: shot.workflowId,
    args: [shot, estate.config.queues],
  });
  await ctx.temporal.workflow.getHandle(shot.workflowId).terminate('test');
  await put(media(), `${outputPrefix(shot.assetId, 1)}images/thumb.jpg`);
  const waiting = await lostUpload('received');
  await ctx.temporal.workflow.start('processImage', {
    taskQueue: `${estate.config.queues.media}-nobody`,
    workflowId: waiting.workflowId,
    args: [waiting, estate.config.queues],
  });
  await age(1, lost, shot, waiting);

  expect((await keepHouse())['sweepAssets']).toMatchObject({ started: 1, ended: 1 });
  await estate.reaches(lost, 'ready', isReady);
  expect(await find(shot)).toMatchObject({ state: 'failed', error: { code: 'INTERNAL' } });
  expect(await estate.keys(media(), outputPrefix(shot.assetId, 1))).toEqual([]);
  expect((await find(waiting))?.state).toBe('received');
  await ctx.temporal.workflow.getHandle(waiting.workflowId).terminate('test');
}, 120_000);

async function lostUpload(state: 'received' | 'processing'): Promise<Job> {
  const key = name();
  await put(uploads(), key, await photo());
  const { etag, bytes: size } = await estate.ctx.store.stat(uploads(), key);
  const job = jobOf({ bucket: uploads(), key, etag, size }, { tenant: 'acme', profile: 'small' });
  await estate.ctx.catalogue.transition(job, { to: state, by: 'test', kind: 'image' });
  return job;
}

test('a deletion that got lost is carried out', async () => {
  const { ctx } = estate;
  const job = await ready();
  await ctx.catalogue.transition(job, { to: 'deleted', by: 'test' });
  await age(1, job);
  expect((await keepHouse())['sweepAssets']).toMatchObject({ purges: 1 });
  await isGone(job);
  await enqueue(ctx.db, 'delete', { assetId: job.assetId, tenant: 'acme' });
  ctx.wake();
  expect(await estate.keys(media(), `assets/${job.assetId}/`)).toEqual([]);
}, 120_000);

test('500 planted orphans go, and 50 that look like them stay', async () => {
  const { ctx } = estate;
  const bytes = await photo();
  const owners = [await estate.submit(name(), bytes), await ready(), await ready()];
  await estate.reaches(owners[0]!, 'ready', isReady);
  const twin = await estate.submit(name(), bytes);
  await estate.reaches(twin, 'ready', isReady);
  const removed = await ready();
  await ctx.catalogue.transition(removed, { to: 'deleted', by: 'test' });
  await ctx.db.updateTable('assets').set({ purged_at: new Date() }).where('id', '=', removed.assetId).execute();

  const stranger = (n: number): string => createHash('sha256').update(`stranger ${n}`).digest('hex').slice(0, 24);
  const orphans = [
    // Of nobody.
    ...Array.from({ length: 300 }, (_, n) => `${outputPrefix(stranger(n >> 2), (n % 4) + 1)}seg.m4s`),
    // Of generations that never began.
    ...Array.from({ length: 100 }, (_, n) => `${outputPrefix(owners[n % 3]!.assetId, 2 + (n % 5))}video/seg-${n}.m4s`),
    // Of a deleted asset.
    ...Array.from({ length: 50 }, (_, n) => `${outputPrefix(removed.assetId, 1)}late-${n}.m4s`),
  ];
  const raw = Array.from({ length: 50 }, (_, n) => `${apiPrefixOf('')}acme/nobody-${n}`);
  const lookalikes = [
    ...Array.from({ length: 30 }, (_, n) => `${outputPrefix(owners[n % 3]!.assetId, 1)}more-${n}.m4s`),
    ...Array.from({ length: 20 }, (_, n) => `not-ours/${stranger(n)}/g1/x`),
  ];
  await Promise.all([...orphans, ...lookalikes].map((key) => put(media(), key)));
  await Promise.all(raw.map((key) => put(uploads(), key)));

  // Young things may be somebody's who has not said so yet.
  expect((await findings(3_600)).filter(({ what }) => what !== 'foreign')).toEqual([]);
  const planned = await findings(0);
  const before = await estate.keys(media());
  expect(await findings(0)).toEqual(planned);
  expect(await estate.keys(media())).toEqual(before);

  await mendAll();
  const left = new Set([...(await estate.keys(media())), ...(await estate.keys(uploads()))]);
  expect([...orphans, ...raw].filter((key) => left.has(key))).toEqual([]);
  expect(lookalikes.filter((key) => !left.has(key))).toEqual([]);
  expect(before.filter((key) => !left.has(key) && !key.includes(removed.assetId)).sort()).toEqual(
    orphans.filter((key) => !key.includes(removed.assetId)).sort(),
  );
  for (const job of [...owners, twin]) expect((await find(job))?.state).toBe('ready');
  await Promise.all(lookalikes.map((key) => ctx.store.remove(media(), [key])));
  expect(await surveyed(estate)).toEqual([]);
}, 300_000);

test('rows without objects: outputs are made again, raw uploads noted; uploads without a row are announced', async () => {
  const { ctx } = estate;
  const [lost, bare, hopeless] = [await ready(), await ready(), await ready()];
  await ctx.store.removePrefix(media(), outputPrefix(lost.assetId, 1));
  await ctx.store.remove(uploads(), [bare.source.key]);
  await ctx.store.removePrefix(media(), outputPrefix(hopeless.assetId, 1));
  await ctx.store.remove(uploads(), [hopeless.source.key]);
  const stray = name();
  await put(uploads(), stray, await photo());
  const found = (await findings(0)).map((finding) => `${finding.what} ${'assetId' in finding ? finding.assetId : ''}`);
  expect(found.sort()).toEqual(
    [
      `row-without-outputs ${lost.assetId}`,
      `row-without-outputs ${hopeless.assetId}`,
      `row-without-source ${bare.assetId}`,
      `row-without-source ${hopeless.assetId}`,
      'upload-without-row ',
    ].sort(),
  );
  await mendAll();
  const again = await estate.reaches(lost, 'made again', (row) => row.generation === 2 && isReady(row));
  expect(again.outputsPrefix).toBe(outputPrefix(lost.assetId, 2));
  expect((await find(bare))?.sourceRemovedAt).toEqual(expect.any(Date));
  await deleteAsset(ctx, estate.caller, hopeless.assetId);
  await isGone(hopeless);
  await ctx.store.remove(uploads(), [stray]);
  expect(await surveyed(estate)).toEqual([]);
}, 120_000);

async function findings(minAgeSeconds: number): Promise<Finding[]> {
  const found: Finding[] = [];
  const { signal } = new AbortController();
  for await (const one of survey(estate.ctx, { minAgeSeconds, deep: minAgeSeconds === 0, signal })) found.push(one);
  return found;
}

async function mendAll(): Promise<void> {
  const { signal } = new AbortController();
  const { logger } = estate.ctx;
  const quiet = { ...logger, warn: () => undefined, error: () => undefined };
  for (const finding of await findings(0)) await mend({ ...estate.ctx, logger: quiet }, finding, signal);
}

test('by the command line: what would be done, what is done, and holds', async () => {
  const [kept, lost] = [await ready(), `${outputPrefix('f'.repeat(24), 1)}x`];
  await put(media(), lost);
  const dry = await cli('sweep', '--dry-run', '--older-than', '0', '--deep', '--json');
  expect(dry.code).toBe(1);
  expect(dry.lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({
      what: 'outputs-without-row',
      prefix: outputPrefix('f'.repeat(24), 1),
      remedy: 'removed',
    }),
  ]);
  expect(await cli('sweep')).toEqual({ code: 0, lines: ['store and catalogue agree'] });
  const done = await cli('sweep', '--older-than', '0');
  expect(done.lines).toEqual([expect.stringMatching(/^outputs without an asset: .*: removed$/), '1 finding']);
  expect(done.code).toBe(0);
  expect(await estate.keys(media(), lost)).toEqual([]);

  expect((await cli('hold', kept.assetId)).lines).toEqual([`${kept.assetId} is on legal hold`]);
  await expect(deleteAsset(estate.ctx, estate.caller, kept.assetId)).rejects.toMatchObject({ problem: 'legal-hold' });
  expect((await cli('hold', '--release', kept.assetId)).lines).toEqual([`${kept.assetId} is not on legal hold`]);
  expect((await cli('hold', 'f'.repeat(24))).code).toBe(1);
}, 120_000);

const BIN = fileURLToPath(new URL('../../bin/mediamill.mjs', import.meta.url));

async function cli(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: processEnv(estate.config),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const output = await text(child.stdout);
  const code = child.exitCode ?? ((await once(child, 'exit')) as [number])[0];
  return { code, lines: output.split('\n').filter(Boolean) };
}

test('the schedule is there with the worker, follows the configuration, and starts the workflow', async () => {
  const { temporal } = estate.ctx;
  const { queues } = estate.config;
  const schedule = temporal.schedule.getHandle(housekeepingIdOf(queues));
  const everyMs = async (): Promise<unknown> => (await schedule.describe()).spec.intervals?.[0]?.every;
  expect(await everyMs()).toBe(60 * 60_000);
  await Promise.all([1, 2, 3].map(() => ensureHousekeeping(temporal, queues, 30)));
  expect(await everyMs()).toBe(30 * 60_000);
  await schedule.trigger();
  await until(
    'it has run',
    async () => {
      const [last] = (await schedule.describe()).info.recentActions;
      if (last?.action.type !== 'startWorkflow') return false;
      const { status } = await temporal.workflow.getHandle(last.action.workflow.workflowId).describe();
      return status.name === 'COMPLETED';
    },
    60_000,
  );
  await ensureHousekeeping(temporal, queues, 0);
  await expect(schedule.describe()).rejects.toThrow();
  await ensureHousekeeping(temporal, queues, 0);
}, 120_000);
