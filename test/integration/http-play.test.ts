/** What the HTTP server answers to players, on a real store, catalogue and Temporal. The encoders are this test. */
import { randomUUID } from 'node:crypto';
import { request as rawRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { FastifyInstance } from 'fastify';

import { connect, type Database } from '../../src/catalogue/database.js';
import type { Catalogue } from '../../src/catalogue/catalogue.js';
import { createCatalogue } from '../../src/catalogue/postgres.js';
import { connectTemporal, type OpenClient } from '../../src/client/connection.js';
import type { Config } from '../../src/config/schema.js';
import type { Job } from '../../src/contracts/assets.js';
import type { VideoPlan } from '../../src/contracts/plan.js';
import { createLogger } from '../../src/logging/index.js';
import { createServer } from '../../src/starters/http/server.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { jobOf, planOf, putPart, putPlan, subtitles } from '../support/playable.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';

jest.setTimeout(60_000);
const stack = useStack();
let config: Config;
let store: ObjectStore;
let catalogue: Catalogue;
let db: Database;
let client: OpenClient;
let bucket: string;
/** Holds requests for a second. */
let hasty: FastifyInstance;
/** Holds them for as long as any test takes. */
let patient: FastifyInstance;

const serve = async (holdSeconds: number, maxHeld = 100): Promise<FastifyInstance> => {
  const http = { ...config.http, holdSeconds, maxHeld, signedUrlSeconds: 60 };
  const server = await createServer({
    config: { ...config, http },
    catalogue,
    db,
    store,
    temporal: client.temporal,
    wake: () => undefined,
    logger: createLogger({ ...config.log, level: 'error' }),
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  return server;
};

beforeAll(async () => {
  config = await stack.isolated();
  bucket = config.storage.mediaBucket;
  store = createObjectStore(config.storage);
  db = connect(config.catalogue);
  catalogue = createCatalogue(config.catalogue);
  client = await connectTemporal(config.temporal);
  hasty = await serve(1);
  patient = await serve(60);
});

afterAll(async () => {
  await hasty.close();
  await patient.close();
  await client.close();
  await catalogue.close();
  await db.destroy();
});

const addressOf = (server: FastifyInstance): string =>
  `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;

const get = (server: FastifyInstance, job: Job, path: string, init?: RequestInit): Promise<Response> =>
  fetch(`${addressOf(server)}/v1/assets/${job.assetId}/play/${path}`, { redirect: 'manual', ...init });

interface ProblemBody {
  type: string;
  title: string;
  status: number;
  error?: { code: string };
}

async function problem(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const body = (await response.json()) as ProblemBody;
  expect(body.status).toBe(response.status);
  expect(body.title).not.toBe('');
  return `${response.status} ${body.type.replace('urn:mediamill:problem:', '')}`;
}

/** An asset of which nothing but the plan is there, and a workflow that nobody runs: what it is told stays in its history. */
async function growing(plan: VideoPlan = planOf(20)): Promise<Job> {
  const job = jobOf();
  await putPlan(store, bucket, job, plan);
  await catalogue.transition(job, { to: 'processing', by: 'test', kind: plan.kind });
  await client.temporal.workflow.start('processVideo', { taskQueue: randomUUID(), workflowId: job.workflowId });
  return job;
}

async function wishes(job: Job): Promise<unknown[]> {
  const { events } = await client.temporal.workflow.getHandle(job.workflowId).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal ? [JSON.parse(Buffer.from(signal.input!.payloads![0]!.data!).toString()) as unknown] : [],
  );
}

async function published(plan: VideoPlan = planOf(20)): Promise<Job> {
  const job = jobOf();
  await putPlan(store, bucket, job, plan);
  await putPart(store, bucket, job, 'master.m3u8', Buffer.from('#EXTM3U\n#published\n'));
  const document = { id: job.assetId, renditions: [] } as never;
  await catalogue.publish(job, { to: 'ready', by: 'test', kind: plan.kind, document });
  return job;
}

describe('while it encodes', () => {
  it('has the whole playlists before the first segment is there', async () => {
    const job = await growing(planOf(3600, { subtitles: [subtitles('subs-0-eng', { language: 'eng' })] }));
    const first = await get(hasty, job, 'master.m3u8?a=b');
    expect([first.status, first.headers.get('location')]).toEqual([302, 'g1/master.m3u8?a=b']);
    const master = await get(hasty, job, 'g1/master.m3u8', { headers: { origin: 'https://player.example' } });
    expect(master.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    expect(master.headers.get('cache-control')).toBe('no-store');
    expect(master.headers.get('access-control-allow-origin')).toBe('*');
    const variants = (await master.text()).split('\n').filter((line) => /^video/.test(line));
    // Players begin with what is listed first, and the lowest rung is made first.
    expect(variants).toEqual(['video/360p/index.m3u8', 'video/720p/index.m3u8']);

    const playlist = await get(hasty, job, 'g1/video/720p/index.m3u8');
    expect(playlist.headers.get('content-encoding')).toMatch(/gzip|br/);
    const text = await playlist.text();
    expect(text.match(/^seg-/gm)).toHaveLength(900);
    expect(text).toContain('#EXT-X-ENDLIST');
    for (const path of ['g1/audio/audio-0-eng/index.m3u8', 'g1/subs/subs-0-eng/index.m3u8'])
      expect(await (await get(hasty, job, path)).text()).toContain('#EXT-X-ENDLIST');
    const manifest = await get(hasty, job, 'g1/manifest.mpd');
    expect(manifest.headers.get('content-type')).toBe('application/dash+xml');
    expect(await manifest.text()).toContain('type="static"');
    expect(await problem(await get(hasty, job, 'g1/video/720p/iframes.m3u8'))).toBe('404 not-found');
    expect(await wishes(job)).toEqual([]);
  });

  it('waits for the plan of an upload that is being inspected', async () => {
    const job = jobOf();
    await catalogue.transition(job, { to: 'received', by: 'test' });
    const answer = get(patient, job, 'g1/master.m3u8');
    await sleep(300);
    await putPlan(store, bucket, job, planOf(20));
    expect((await answer).status).toBe(200);
  });

  it('sends players to the store for what is there, and only to read it', async () => {
    const job = await growing();
    await putPart(store, bucket, job, 'video/360p/seg-00000.m4s', Buffer.from('media'));
    for (const method of ['GET', 'HEAD']) {
      const response = await get(hasty, job, 'g1/video/360p/seg-00000.m4s', { method });
      expect(response.status).toBe(302);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await (await fetch(response.headers.get('location')!)).text()).toBe('media');
    }
    const short = await get(hasty, job, 'video/360p/seg-00000.m4s');
    expect(new URL(short.headers.get('location')!, short.url).pathname).toBe(
      `/v1/assets/${job.assetId}/play/g1/video/360p/seg-00000.m4s`,
    );
    expect((await get(hasty, job, 'g1/video/360p/seg-00000.m4s', { method: 'PUT' })).status).toBe(405);
    expect(await wishes(job)).toEqual([]);
  });

  it('holds what is not there until it is, and tells the workflow once', async () => {
    const job = await growing();
    const answers = Array.from({ length: 20 }, () => get(patient, job, 'g1/video/720p/seg-00003.m4s'));
    await until('the wish arrives', async () => (await wishes(job)).length > 0, 20_000);
    await putPart(store, bucket, job, 'video/720p/seg-00003.m4s');
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(20).fill(302));
    expect(await wishes(job)).toEqual([{ name: '720p', segment: 3 }]);
  });

  it('leaves the workflow alone where the encoders are about to come by', async () => {
    const job = await growing();
    await putPart(store, bucket, job, 'video/720p/seg-00002.m4s');
    const answers = [get(patient, job, 'g1/video/720p/seg-00003.m4s'), get(patient, job, 'g1/video/720p/init.mp4')];
    await sleep(400);
    await putPart(store, bucket, job, 'video/720p/seg-00003.m4s');
    await putPart(store, bucket, job, 'video/720p/init.mp4');
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([302, 302]);
    expect(await wishes(job)).toEqual([]);
    // They do not come by.
    const late = get(patient, job, 'g1/video/720p/seg-00004.m4s');
    await until('the wish arrives', async () => (await wishes(job)).length > 0, 20_000);
    expect(await wishes(job)).toEqual([{ name: '720p', segment: 4 }]);
    await putPart(store, bucket, job, 'video/720p/seg-00004.m4s');
    expect((await late).status).toBe(302);
  });

  it('says when to ask again for what does not come in time', async () => {
    const job = await growing();
    const response = await get(hasty, job, 'g1/video/720p/seg-00003.m4s');
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await problem(response)).toBe('503 not-made-yet');
    // Pages of other origins see an answer, not a broken connection.
    const other = await get(hasty, job, 'g1/video/720p/seg-00003.m4s', { headers: { origin: 'https://p.example' } });
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([503, '*']);
    expect(await wishes(job)).toHaveLength(1);
  });

  it('has the sound as it is until the real one is there', async () => {
    const job = await growing();
    const path = 'g1/audio/audio-0-eng/seg-00000.m4s';
    await putPart(store, bucket, job, 'work/audio/audio-0-eng/seg-00000.m4s', Buffer.from('as it is'));
    const heard = async () => (await fetch((await get(hasty, job, path)).headers.get('location')!)).text();
    expect(await heard()).toBe('as it is');
    await putPart(store, bucket, job, 'audio/audio-0-eng/seg-00000.m4s', Buffer.from('the real one'));
    expect(await heard()).toBe('the real one');
    expect(await problem(await get(hasty, job, 'g1/audio/audio-0-eng/seg-00001.m4s'))).toBe('503 not-made-yet');
  });

  it('does not hold what nobody needs', async () => {
    const job = await growing();
    expect(await problem(await get(patient, job, 'g1/images/poster.jpg'))).toBe('404 not-found');
    await putPart(store, bucket, job, 'images/poster.jpg');
    expect((await get(patient, job, 'g1/images/poster.jpg')).status).toBe(302);
  });

  it.each(['failed', 'cancelled', 'deleted'] as const)('tells all that wait that it was %s', async (state) => {
    const job = await growing();
    const answers = ['video/720p/seg-00003.m4s', 'audio/audio-0-eng/init.mp4', 'video/360p/seg-00001.m4s'].map((path) =>
      get(patient, job, `g1/${path}`),
    );
    await sleep(300);
    const error = { code: 'DAMAGED_FILE', message: 'The file is damaged.' } as const;
    await catalogue.transition(job, { to: state, by: 'test', ...(state === 'failed' && { error }) });
    const expected = state === 'deleted' ? '410 asset-deleted' : '410 asset-failed';
    for (const answer of answers) expect(await problem(await answer)).toBe(expected);
    const later = await get(patient, job, 'master.m3u8');
    if (state === 'failed') expect(((await later.clone().json()) as ProblemBody).error).toEqual(error);
    expect(await problem(later)).toBe(expected);
  });

  it('tells those who wait for a part that was left out of what got published', async () => {
    const job = await growing();
    const answer = get(patient, job, 'g1/video/720p/seg-00004.m4s');
    await sleep(300);
    await catalogue.publish(job, { to: 'partial', by: 'test', document: { id: job.assetId, renditions: [] } as never });
    expect(await problem(await answer)).toBe('404 not-found');
  });

  it('refuses to hold more than its bound, and serves what is there all the same', async () => {
    const few = await serve(60, 2);
    try {
      const job = await growing();
      await putPart(store, bucket, job, 'video/360p/seg-00000.m4s');
      const held = [1, 2].map((n) => get(few, job, `g1/video/360p/seg-0000${n}.m4s`));
      await sleep(300);
      const refused = await get(few, job, 'g1/video/360p/seg-00003.m4s');
      expect(refused.headers.get('retry-after')).toBe('2');
      expect(await problem(refused)).toBe('503 busy');
      expect((await get(few, job, 'g1/video/360p/seg-00000.m4s')).status).toBe(302);
      // A server that stops answers whom it holds.
      await Promise.all([
        few.close(),
        ...held.map(async (one) => expect(await problem(await one)).toBe('503 not-made-yet')),
      ]);
    } finally {
      await few.close();
    }
  });

  it('forgets players that went away', async () => {
    const one = await serve(60, 1);
    try {
      const job = await growing();
      const leave = new AbortController();
      const left = get(one, job, 'g1/video/360p/seg-00003.m4s', { signal: leave.signal });
      await sleep(300);
      leave.abort();
      await expect(left).rejects.toThrow();
      const next = get(one, job, 'g1/video/360p/seg-00004.m4s');
      await sleep(300);
      await putPart(store, bucket, job, 'video/360p/seg-00004.m4s');
      expect((await next).status).toBe(302);
    } finally {
      await one.close();
    }
  });

  it('sends no workflow more wishes than its history bears', async () => {
    const job = await growing(planOf(4000));
    const answers = Array.from({ length: 80 }, (_, n) =>
      get(hasty, job, `g1/video/720p/seg-00${String(n * 10 + 100)}.m4s`),
    );
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect((await wishes(job)).length).toBeLessThanOrEqual(25);
  });
});

describe('when it is published', () => {
  it('reads playlists from the store, and lets players keep them', async () => {
    const job = await published();
    expect((await get(hasty, job, 'master.m3u8')).headers.get('location')).toBe('g1/master.m3u8');
    const response = await get(hasty, job, 'g1/master.m3u8');
    expect(await response.text()).toContain('#published');
    expect(response.headers.get('cache-control')).toBe('public, max-age=10');
    const segment = await get(hasty, job, 'g1/video/720p/seg-00000.m4s');
    expect([segment.status, segment.headers.get('cache-control')]).toEqual([302, 'private, max-age=30']);
    // Not part of what was published.
    expect(await problem(await get(hasty, job, 'g1/video/720p/iframes.m3u8'))).toBe('404 not-found');
  });

  it('plays the published generation while the next one is made', async () => {
    const job = await published();
    const next = { ...job, generation: 2 };
    await catalogue.transition(next, { to: 'processing', by: 'test' });
    await putPlan(store, bucket, next, planOf(20));
    expect((await get(hasty, job, 'master.m3u8')).headers.get('location')).toBe('g1/master.m3u8');
    await catalogue.publish(next, { to: 'ready', by: 'test', document: { id: job.assetId, renditions: [] } as never });
    await until(
      'the next one is what plays',
      async () => (await get(hasty, job, 'master.m3u8')).headers.get('location') === 'g2/master.m3u8',
      10_000,
    );
    // Who watches the one before watches on.
    expect((await get(hasty, job, 'g1/master.m3u8')).status).toBe(200);
  });
});

describe('what there is none of', () => {
  it.each([
    '..%2f..%2fsecret',
    '%2e%2e/%2e%2e/g1/plan.json',
    'g1/plan.json',
    'g1/work/audio/audio-0-eng/seg-00000.m4s',
    'g1/video/720p/..%2f..%2fplan.json',
    'g1/video/4320p/seg-00000.m4s',
    'g1/video/720p/seg-00099.m4s',
    'g2/master.m3u8',
    'g99999999999/master.m3u8',
    `g1/${'x'.repeat(300)}`,
    'g1/%F0%9F%8E%AC',
    '',
  ])('%p is nowhere', async (path) => {
    const job = await growing();
    // `fetch` would clean the path before it sends it.
    const status = await new Promise<number | undefined>((resolve, reject) => {
      rawRequest(`${addressOf(patient)}`, { path: `/v1/assets/${job.assetId}/play/${path}` }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(404);
    expect(await wishes(job)).toEqual([]);
  });

  it.each([
    ['an unknown id', '000000000000000000000000', '404 asset-unknown'],
    ['no id', "1'; DROP TABLE assets; --", '400 invalid-request'],
    ['a parent folder', '..', '404 not-found'],
    ['a long id', 'a'.repeat(5000), '404 not-found'],
    ['bytes that are no text', '%E0%A4%A', '400 invalid-request'],
    ['a byte of zero', `${'0'.repeat(24)}/play/x%00`, '400 invalid-request'],
    ['two ids', '000000000000000000000000/000000000000000000000000', '404 not-found'],
  ])('%s', async (_, id, expected) => {
    expect(await problem(await fetch(`${addressOf(hasty)}/v1/assets/${id}/play/master.m3u8`))).toBe(expected);
  });

  it('plays no pictures', async () => {
    const job = jobOf();
    await catalogue.publish(job, {
      to: 'ready',
      by: 'test',
      kind: 'image',
      document: { id: job.assetId, renditions: [] } as never,
    });
    expect(await problem(await get(hasty, job, 'master.m3u8'))).toBe('404 asset-not-playable');
  });
});

it('says that it lives, and whether it can serve', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const response = await fetch(addressOf(hasty) + path);
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  }
});
