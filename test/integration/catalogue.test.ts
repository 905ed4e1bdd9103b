import { jest } from '@jest/globals';
import { createServer, connect as connectTo, type AddressInfo, type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Catalogue } from '../../src/catalogue/catalogue.js';
import { migrate } from '../../src/catalogue/migrate.js';
import { createCatalogue } from '../../src/catalogue/postgres.js';
import type { Config } from '../../src/config/index.js';
import type { AssetDocument, AssetState, Job } from '../../src/contracts/assets.js';
import { assetIdOf, workflowIdOf } from '../../src/contracts/ids.js';
import { useStack } from '../support/stack.js';

// Real servers on a machine that may be busy.
jest.setTimeout(60_000);

const stack = useStack();
let config: Config['catalogue'];
let catalogue: Catalogue;

beforeAll(async () => {
  config = (await stack.isolated({ database: true })).catalogue;
  catalogue = createCatalogue({ ...config, poolSize: 10 });
}, 180_000);
afterAll(() => catalogue.close());

/** A database without tables. */
async function emptyDatabase(): Promise<Config['catalogue']> {
  const url = new URL(config.url);
  const name = `empty_${randomUUID().slice(0, 8)}`;
  const client = new pg.Client({ connectionString: config.url });
  await client.connect();
  await client.query(`create database ${name}`).finally(() => client.end());
  url.pathname = `/${name}`;
  return { ...config, url: url.href };
}

function newJob(generation = 1): Job {
  const source = { bucket: 'uploads', key: `${randomUUID()} ü'"%.mp4`, etag: 'e'.repeat(32) };
  return {
    assetId: assetIdOf(source),
    workflowId: workflowIdOf(source),
    generation,
    source,
    tenant: 'acme',
    profile: 'default',
    priority: 3,
    uploadedAt: new Date().toISOString(),
  };
}

const documentOf = (job: Job, state: AssetState, mark = ''): AssetDocument => ({
  id: job.assetId,
  workflowId: job.workflowId,
  kind: 'video',
  state,
  source: job.source,
  renditions: [],
  playback: { hls: mark },
  timings: { uploadedAt: job.uploadedAt, startedAt: job.uploadedAt },
});

const publish = (job: Job, to: AssetState = 'ready', mark = ''): Promise<boolean> =>
  catalogue.publish(job, { to, by: 'publishMedia', kind: 'video', document: documentOf(job, to, mark) });

const path = async (job: Job): Promise<string[]> =>
  (await catalogue.history(job.assetId)).map(({ from, to, generation }) => `${from ?? ''}>${to}@${generation}`);

test('an asset goes its way, and every step of it is written down', async () => {
  const job = newJob();
  const error = { code: 'DAMAGED_FILE', message: 'The file is damaged.' } as const;
  expect(await catalogue.find(job.assetId)).toBeUndefined();
  expect(await catalogue.transition(job, { to: 'processing', by: 'inspectMedia' })).toBe(true);
  expect(await catalogue.find(job.assetId)).toMatchObject({
    id: job.assetId,
    workflowId: job.workflowId,
    bucket: 'uploads',
    key: job.source.key,
    version: job.source.etag,
    tenant: 'acme',
    kind: null,
    state: 'processing',
    generation: 0,
    error: null,
    document: null,
    createdAt: expect.any(Date),
  });
  const failed = documentOf(job, 'failed');
  expect(
    await catalogue.transition(job, { to: 'failed', by: 'recordEnd', kind: 'video', error, document: failed }),
  ).toBe(true);
  expect(await catalogue.findByWorkflow(job.workflowId)).toMatchObject({
    state: 'failed',
    kind: 'video',
    error,
    document: failed,
  });
  expect(await catalogue.history(job.assetId)).toEqual([
    { at: expect.any(Date), from: null, to: 'processing', generation: 1, by: 'inspectMedia', error: null },
    { at: expect.any(Date), from: 'processing', to: 'failed', generation: 1, by: 'recordEnd', error },
  ]);
});

test('the same step again is accepted and leaves no second line; it may add the kind', async () => {
  const job = newJob();
  for (const kind of [null, 'audio', 'video', null] as const) {
    expect(await catalogue.transition(job, { to: 'processing', by: 'inspectMedia', kind })).toBe(true);
  }
  expect(await catalogue.find(job.assetId)).toMatchObject({ kind: 'audio' });
  expect(await publish(job, 'partial', 'first')).toBe(true);
  expect(await publish(job, 'partial', 'second')).toBe(true);
  expect(await path(job)).toEqual(['>processing@1', 'processing>partial@1']);
  expect(await catalogue.find(job.assetId)).toMatchObject({ generation: 1, document: { playback: { hls: 'first' } } });
});

test('a late attempt changes nothing', async () => {
  const job = newJob();
  await catalogue.transition(job, { to: 'cancelled', by: 'recordEnd' });
  const before = await catalogue.find(job.assetId);
  expect(await publish(job)).toBe(false);
  expect(await catalogue.transition(job, { to: 'processing', by: 'inspectMedia' })).toBe(false);
  expect(await catalogue.find(job.assetId)).toEqual(before);
  expect(await path(job)).toEqual(['>cancelled@1']);
});

describe('a repair', () => {
  const repair = (job: Job, to: AssetState, mark: string): Promise<boolean> =>
    catalogue.publish(job, { to, by: 'repair', kind: 'video', document: documentOf(job, to, mark), repair: true });
  const markOf = async (job: Job): Promise<unknown> => (await catalogue.find(job.assetId))?.document?.playback.hls;

  test('replaces the document of what is published, whatever its state becomes, and each is written down', async () => {
    const job = newJob();
    await publish(job, 'partial', 'first');
    for (const [to, mark] of [
      ['ready', 'second'],
      ['ready', 'third'],
      ['partial', 'fourth'],
      ['ready', 'fifth'],
    ] as const) {
      expect(await repair(job, to, mark)).toBe(true);
      // An attempt whose answer got lost does the same again.
      expect(await repair(job, to, mark)).toBe(true);
      expect(await catalogue.find(job.assetId)).toMatchObject({ state: to, generation: 1 });
      expect(await markOf(job)).toBe(mark);
    }
    expect(await path(job)).toEqual([
      '>partial@1', 'partial>ready@1', 'ready>ready@1', 'ready>partial@1', 'partial>ready@1',
    ]); // prettier-ignore
  });

  test('is not for what is not published, has been deleted, or is being replaced', async () => {
    const unknown = newJob();
    expect(await repair(unknown, 'ready', 'x')).toBe(false);
    expect(await catalogue.find(unknown.assetId)).toBeUndefined();
    const [playable, failed, deleted, replaced] = [newJob(), newJob(), newJob(), newJob()];
    await catalogue.transition(playable, { to: 'playable', by: 'x' });
    await catalogue.transition(failed, { to: 'failed', by: 'x' });
    await publish(deleted);
    await catalogue.transition(deleted, { to: 'deleted', by: 'x' });
    await publish(replaced, 'ready', 'first');
    await catalogue.transition({ ...replaced, generation: 2 }, { to: 'processing', by: 'x' });
    for (const job of [playable, failed, deleted, replaced]) {
      const before = await catalogue.find(job.assetId);
      expect(await repair(job, 'ready', 'x')).toBe(false);
      expect(await catalogue.find(job.assetId)).toEqual(before);
    }
  });
});

test('while a later generation is made, the published one stays', async () => {
  const job = newJob();
  await publish(job);
  const next = { ...job, generation: 2 };
  expect(await catalogue.transition(next, { to: 'processing', by: 'inspectMedia' })).toBe(true);
  expect(await catalogue.find(job.assetId)).toMatchObject({
    state: 'processing',
    generation: 1,
    document: { state: 'ready' },
  });
  expect(await publish(job)).toBe(false);
  expect(await publish(next, 'playable')).toBe(true);
  expect(await publish(next, 'ready')).toBe(true);
  expect(await catalogue.find(job.assetId)).toMatchObject({ state: 'ready', generation: 2 });
});

test('nothing is finished that is not published', async () => {
  const job = newJob();
  await expect(catalogue.transition(job, { to: 'ready', by: 'x' })).rejects.toMatchObject({ code: '23514' });
  expect(await catalogue.find(job.assetId)).toBeUndefined();
});

test('of many attempts at once the highest generation wins, each generation is published once, by its first attempt', async () => {
  const [a, b] = [catalogue, createCatalogue({ ...config, poolSize: 10 })];
  try {
    for (let round = 0; round < 4; round++) {
      const job = newJob();
      const attempts = Array.from({ length: 40 }, (_, i) => ({ generation: 1 + (i % 5), mark: String(i) })).sort(
        () => Math.random() - 0.5,
      );
      const outcomes = await Promise.all(
        attempts.map(({ generation, mark }, i) => {
          const of = { ...job, generation };
          return (i % 2 ? a : b).publish(of, { to: 'ready', by: mark, document: documentOf(of, 'ready', mark) });
        }),
      );
      const history = await a.history(job.assetId);
      const generations = history.map(({ generation }) => generation);
      // Only ever upwards, none twice.
      expect(generations).toEqual([...new Set(generations)].sort());
      const row = await a.find(job.assetId);
      expect(row).toMatchObject({ state: 'ready', generation: 5 });
      // The row holds what the last line's writer brought.
      expect(row!.document!.playback.hls).toBe(history.at(-1)!.by);
      // Who was refused came too late; who won is in the history, or repeated what is.
      attempts.forEach(({ generation, mark }, i) => {
        if (generation === 5) expect(outcomes[i]).toBe(true);
        if (outcomes[i]) expect(generations).toContain(generation);
        if (history.some(({ by }) => by === mark)) expect(outcomes[i]).toBe(true);
      });
    }
  } finally {
    await b.close();
  }
});

test('deleted wins over everything, whenever it comes', async () => {
  for (let round = 0; round < 4; round++) {
    const job = newJob();
    const work = Array.from({ length: 20 }, (_, i) => () => publish({ ...job, generation: 1 + (i % 4) }));
    work.splice(round * 2, 0, () => catalogue.transition(job, { to: 'deleted', by: 'deleteAsset' }));
    const outcomes = await Promise.all(work.map((step) => step()));
    expect(outcomes[round * 2]).toBe(true);
    expect((await catalogue.find(job.assetId))!.state).toBe('deleted');
    expect((await path(job)).filter((step) => step.startsWith('deleted'))).toEqual([]);
    expect(await publish({ ...job, generation: 9 })).toBe(false);
  }
});

test('list gives the newest first, by state and tenant', async () => {
  const tenant = randomUUID();
  const jobs = [newJob(), newJob(), newJob()].map((job) => ({ ...job, tenant }));
  for (const job of jobs) await catalogue.transition(job, { to: 'processing', by: 'x' });
  await publish(jobs[0]!);
  const ids = async (options: object): Promise<string[]> =>
    (await catalogue.list({ limit: 10, tenant, ...options })).map(({ id }) => id);
  expect(await ids({})).toEqual([2, 1, 0].map((i) => jobs[i]!.assetId));
  expect(await ids({ limit: 1 })).toEqual([jobs[2]!.assetId]);
  expect(await ids({ state: 'ready' })).toEqual([jobs[0]!.assetId]);
  expect(await ids({ tenant: 'nobody' })).toEqual([]);
});

test('of several processes that migrate at once one does, and none does so again', async () => {
  const empty = await emptyDatabase();
  const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(empty)));
  expect(applied.flat()).toEqual([
    '0001-assets',
    '0002-repairs',
    '0003-images',
    '0004-api',
    '0005-deadlines',
    '0006-deliveries',
    '0007-demands',
  ]);
  expect(await migrate(empty)).toEqual([]);
});

describe('a database that is away', () => {
  const unavailable = { code: 'CATALOGUE_UNAVAILABLE' };

  test('is CATALOGUE_UNAVAILABLE: not there, wrong password, no tables', async () => {
    const nowhere = new URL(config.url);
    nowhere.port = '1';
    const stranger = new URL(config.url);
    stranger.password = 'wrong';
    for (const url of [nowhere, stranger]) {
      const away = createCatalogue({ ...config, url: url.href });
      await expect(away.find('x')).rejects.toMatchObject(unavailable);
      await expect(migrate({ ...config, url: url.href })).rejects.toMatchObject(unavailable);
      await away.close();
    }
    const empty = createCatalogue(await emptyDatabase());
    await expect(empty.find('x')).rejects.toMatchObject(unavailable);
    await empty.close();
  });

  test('a connection that breaks fails what runs on it, and the next call works', async () => {
    const { port, hostname } = new URL(config.url);
    const sockets = new Set<Socket>();
    const proxy = createServer((near) => {
      const far = connectTo(Number(port), hostname);
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const through = new URL(config.url);
    through.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const shaky = createCatalogue({ url: through.href, poolSize: 2 });
    const holder = new pg.Client({ connectionString: config.url });
    try {
      const job = newJob();
      await shaky.transition(job, { to: 'processing', by: 'x' });
      // The step waits for the row when its connection breaks.
      await holder.connect();
      await holder.query('begin');
      await holder.query('select 1 from assets where id = $1 for update', [job.assetId]);
      const waiting = shaky.transition(job, { to: 'failed', by: 'x' });
      setTimeout(() => sockets.forEach((socket) => socket.destroy()), 200);
      await expect(waiting).rejects.toMatchObject(unavailable);
      await holder.query('commit');
      expect(await shaky.transition(job, { to: 'failed', by: 'x' })).toBe(true);
      expect(await path(job)).toEqual(['>processing@1', 'processing>failed@1']);
    } finally {
      await holder.end();
      await shaky.close();
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => proxy.close(resolve));
    }
  });
});
