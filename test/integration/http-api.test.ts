/** The HTTP API on a real catalogue, store and Temporal: who may do what, and what is said of assets. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';

import { revokeKey } from '../../src/catalogue/keys.js';
import { setTenantSettings } from '../../src/catalogue/tenants.js';
import type { AssetDocument, Job } from '../../src/contracts/assets.js';
import type { AssetFacts } from '../../src/catalogue/catalogue.js';
import { createKey } from '../../src/api/keys.js';
import { openApi, problemOf, type Client, type TestApi } from '../support/api.js';
import { jobOf } from '../support/playable.js';
import { useStack } from '../support/stack.js';

jest.setTimeout(60_000);
const stack = useStack();
let api: TestApi;
let ours: Client;
let theirs: Client;

beforeAll(async () => {
  const config = await stack.isolated({ database: true });
  api = await openApi(config);
  ours = await api.as('ours');
  theirs = await api.as('theirs');
}, 180_000);
afterAll(() => api.close());

async function received(tenant: string, facts: AssetFacts = {}): Promise<Job> {
  const job = jobOf({ tenant });
  await api.ctx.catalogue.transition(job, { to: 'received', by: 'test', kind: 'video', facts });
  return job;
}

const documentOf = (job: Job, own: Partial<AssetDocument> = {}): AssetDocument => ({
  id: job.assetId,
  workflowId: job.workflowId,
  kind: 'video',
  state: 'ready',
  source: job.source,
  renditions: [
    {
      name: '360p',
      type: 'video',
      url: `http://store.example/media/assets/${job.assetId}/g1/video/360p/index.m3u8`,
      mime: 'application/vnd.apple.mpegurl',
      width: 640,
      height: 360,
      bytes: 1234,
      duration: 5,
    },
  ],
  playback: { hls: `http://store.example/media/assets/${job.assetId}/g1/master.m3u8` },
  timings: { uploadedAt: job.uploadedAt, startedAt: job.uploadedAt },
  ...own,
});

async function published(tenant: string, facts: AssetFacts = {}): Promise<Job> {
  const job = await received(tenant, facts);
  await api.ctx.catalogue.publish(job, { to: 'ready', by: 'test', kind: 'video', document: documentOf(job) });
  return job;
}

describe('who asks', () => {
  it('is asked for a key, and told no more of a wrong one', async () => {
    const bare = await fetch(`${api.url}/v1/assets`);
    expect(bare.headers.get('www-authenticate')).toBe('Bearer realm="mediamill"');
    expect(await problemOf(bare)).toBe('401 unauthorized');
    const other = await createKey(api.ctx.db, { tenant: 'ours', name: 'x', scopes: ['read'] });
    const [, , secret] = other.key.split('_');
    const wrong = [
      ...['', 'Basic abc', 'Bearer', 'Bearer mm_', `Bearer mm_${'0'.repeat(16)}_${secret}`, `Bearer ${other.key}x`],
      ...[`Bearer mm_${other.id}_${'A'.repeat(43)}`, 'Bearer mm_%00_%27or%271=1', `Bearer ${'x'.repeat(4000)}`],
    ];
    for (const authorization of wrong) {
      const answer = await fetch(`${api.url}/v1/assets`, { headers: { authorization } });
      expect(await problemOf(answer)).toBe('401 unauthorized');
    }
    const good = await fetch(`${api.url}/v1/assets`, { headers: { authorization: `bearer  ${other.key}` } });
    expect(good.status).toBe(200);
  });

  it('needs a key for nothing but documents, health and preflights', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs', '/docs/static/swagger-ui.css'])
      expect([path, (await fetch(api.url + path)).status]).toEqual([path, 200]);
    const preflight = await fetch(`${api.url}/v1/assets`, {
      method: 'OPTIONS',
      headers: { origin: 'https://page.example', 'access-control-request-method': 'GET' },
    });
    expect(preflight.status).toBe(204);
  });

  it('may do what its scopes say', async () => {
    const job = await received('ours');
    const reader = await api.as('ours', { scopes: ['read'] });
    expect((await reader.get(`/v1/assets/${job.assetId}`)).status).toBe(200);
    expect(await problemOf(await reader.send('PATCH', `/v1/assets/${job.assetId}`, { title: 'x' }))).toBe(
      '403 forbidden',
    );
    expect(await problemOf(await reader.send('DELETE', `/v1/assets/${job.assetId}`))).toBe('403 forbidden');
    const writer = await api.as('ours', { scopes: ['write'] });
    expect((await writer.get('/v1/assets')).status).toBe(200);
    expect(await problemOf(await writer.send('PUT', `/v1/assets/${job.assetId}/legal-hold`))).toBe('403 forbidden');
    const admin = await api.as('ours', { scopes: ['admin'] });
    const held = await admin.send('PUT', `/v1/assets/${job.assetId}/legal-hold`);
    expect([held.status, await held.json()]).toMatchObject([200, { legalHold: true }]);
    expect(await problemOf(await admin.send('DELETE', `/v1/assets/${job.assetId}`))).toBe('423 legal-hold');
    expect(await (await admin.send('DELETE', `/v1/assets/${job.assetId}/legal-hold`)).json()).toMatchObject({
      legalHold: false,
    });
  });

  it('is refused after its key was revoked, or has expired', async () => {
    const client = await api.as('ours');
    expect((await client.get('/v1/assets')).status).toBe(200);
    expect(await revokeKey(api.ctx.db, client.keyId)).toBe(true);
    expect(await revokeKey(api.ctx.db, '0'.repeat(16))).toBe(false);
    const seenBy = Date.now() + 10_000;
    while ((await client.get('/v1/assets')).status === 200 && Date.now() < seenBy) await sleep(250);
    expect(await problemOf(await client.get('/v1/assets'))).toBe('401 unauthorized');

    const old = await createKey(api.ctx.db, {
      ...{ tenant: 'ours', name: 'x', scopes: ['read'] },
      expiresAt: new Date(Date.now() - 1000),
    });
    const answer = await fetch(`${api.url}/v1/assets`, { headers: { authorization: `Bearer ${old.key}` } });
    expect(await problemOf(answer)).toBe('401 unauthorized');
  });

  it('never sees, changes or deletes what is another tenant’s, nor can tell it from nothing', async () => {
    const job = await published('ours');
    const path = `/v1/assets/${job.assetId}`;
    const nothing = '/v1/assets/' + randomBytes(12).toString('hex');
    const tries: [string, string, unknown?][] = [
      ...([
        ['GET', ''],
        ['GET', '/events'],
        ['PATCH', '', { title: 'mine' }],
      ] as [string, string, unknown?][]),
      ...([
        ['POST', '/cancel'],
        ['POST', '/reprocess', {}],
        ['DELETE', ''],
      ] as [string, string, unknown?][]),
    ];
    for (const [method, tail, body] of tries) {
      const [foreign, unknown] = await Promise.all(
        [path, nothing].map(async (asset) => {
          const answer = await theirs.send(method, asset + tail, body);
          const { instance, ...rest } = (await answer.json()) as Record<string, unknown>;
          expect(instance).toMatch(/^urn:mediamill:request:/);
          return [method, tail, answer.status, rest];
        }),
      );
      expect(foreign).toEqual(unknown);
      expect(foreign![2]).toBe(404);
    }
    const list = (await (await theirs.get('/v1/assets')).json()) as { items: unknown[] };
    expect(list.items).toEqual([]);
    expect(await problemOf(await theirs.get(`/v1/assets?similarTo=${job.assetId}`))).toBe('400 invalid-request');
    expect(((await (await ours.get(path)).json()) as { title?: string }).title).toBeUndefined();
  });

  it('is held to the rate of its key, or of its tenant, and others are not', async () => {
    const client = await api.as('ours', { limits: { requestsPerMinute: 3 } });
    const first = await client.get('/v1/assets');
    expect([first.headers.get('ratelimit-limit'), first.headers.get('ratelimit-remaining')]).toEqual(['3', '2']);
    await client.get('/v1/assets');
    await client.get('/v1/assets');
    const over = await client.get('/v1/assets');
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await problemOf(over)).toBe('429 too-many-requests');
    expect((await ours.get('/v1/assets')).status).toBe(200);

    await setTenantSettings(api.ctx.db, 'frugal', { limits: { requestsPerMinute: 1 } });
    const frugal = await api.as('frugal');
    expect((await frugal.get('/v1/assets')).status).toBe(200);
    expect(await problemOf(await frugal.get('/v1/assets'))).toBe('429 too-many-requests');
    const generous = await api.as('frugal', { limits: { requestsPerMinute: 100 } });
    for (let i = 0; i < 3; i++) expect((await generous.get('/v1/assets')).status).toBe(200);
  });

  it('counts wrong keys against the address', async () => {
    const config = api.ctx.config;
    const strict = await openApi(config, { http: { requestsPerMinute: 2 } });
    try {
      const guess = () => fetch(`${strict.url}/v1/assets`, { headers: { authorization: 'Bearer mm_guess' } });
      expect([await problemOf(await guess()), await problemOf(await guess()), await problemOf(await guess())]).toEqual([
        ...['401 unauthorized', '401 unauthorized', '429 too-many-requests'],
      ]);
      expect((await fetch(`${strict.url}/healthz`)).status).toBe(200);
    } finally {
      await strict.close();
    }
  });

  it('needs no key where keys are off', async () => {
    const open = await openApi(api.ctx.config, { http: { auth: 'off' } });
    try {
      const job = await received(api.ctx.config.starter.tenant);
      expect((await fetch(`${open.url}/v1/assets/${job.assetId}`)).status).toBe(200);
    } finally {
      await open.close();
    }
  });
});

describe('an asset', () => {
  it('is read with its history, and with URLs of ours', async () => {
    const job = await published('ours', { title: 'A film', fileName: 'a film.mp4', tags: ['a', 'b'], bytes: 99 });
    const answer = await ours.get(`/v1/assets/${job.assetId}`);
    expect(answer.headers.get('etag')).toBe('"r2"');
    const base = `http://127.0.0.1:${api.ctx.config.http.port}/v1/assets/${job.assetId}/play`;
    expect(await answer.json()).toEqual({
      id: job.assetId,
      kind: 'video',
      state: 'ready',
      title: 'A film',
      fileName: 'a film.mp4',
      tags: ['a', 'b'],
      metadata: {},
      profile: 'default',
      priority: 3,
      bytes: 99,
      duration: 5,
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: expect.stringMatching(/Z$/),
      playable: true,
      generation: 1,
      legalHold: false,
      renditions: [
        {
          ...{ name: '360p', type: 'video', mime: 'application/vnd.apple.mpegurl', width: 640, height: 360 },
          ...{ bytes: 1234, duration: 5, url: `${base}/video/360p/index.m3u8` },
        },
      ],
      playback: { hls: `${base}/master.m3u8` },
      history: [
        { at: expect.any(String), to: 'received', generation: 1, by: 'test' },
        { at: expect.any(String), from: 'received', to: 'ready', generation: 1, by: 'test' },
      ],
    });
    const etag = { 'if-none-match': '"r1", "r2"' };
    const again = await ours.get(`/v1/assets/${job.assetId}`, etag);
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('is changed by whoever saw its latest revision', async () => {
    const job = await received('ours', { title: 'before' });
    const path = `/v1/assets/${job.assetId}`;
    const patched = await ours.send(
      'PATCH',
      path,
      { title: 'after', tags: ['x'], metadata: { k: 'v' } },
      {
        'if-match': '"r1"',
      },
    );
    expect([patched.status, patched.headers.get('etag')]).toEqual([200, '"r2"']);
    expect(await patched.json()).toMatchObject({ title: 'after', tags: ['x'], metadata: { k: 'v' } });
    for (const stale of ['"r1"', 'W/"r2"', '"nonsense"', 'r2'])
      expect(await problemOf(await ours.send('PATCH', path, { title: 'lost' }, { 'if-match': stale }))).toBe(
        '412 precondition-failed',
      );
    const bare = await ours.send('PATCH', path, { title: null, priority: 1 }, { 'if-match': '*' });
    expect(await bare.json()).not.toHaveProperty('title');
    expect(await problemOf(await ours.send('DELETE', path, undefined, { 'if-match': '"r2"' }))).toBe(
      '412 precondition-failed',
    );
    expect((await ours.send('DELETE', path, undefined, { 'if-match': '"r3"' })).status).toBe(204);
    expect(await problemOf(await ours.get(path))).toBe('410 asset-deleted');
    expect(await problemOf(await ours.send('PATCH', path, { title: 'x' }))).toBe('410 asset-deleted');
    expect((await ours.send('DELETE', path)).status).toBe(204);
  });

  it('is given only what fits it', async () => {
    const job = await received('ours');
    const path = `/v1/assets/${job.assetId}`;
    const bad: unknown[] = [
      ...[{}, [], 'x', 1, null, { title: 1 }, { title: 'x'.repeat(501) }, { nonsense: 1 }, { tags: 'a' }],
      ...[{ tags: [1] }, { tags: ['a', 'a'] }, { tags: [''] }, { priority: 0 }, { priority: 2.5 }, { priority: '2' }],
      ...[{ metadata: { a: 1 } }, { metadata: { a: 'x'.repeat(2001) } }, { title: 'a\0b' }, { tags: ['\ud800'] }],
      ...[{ metadata: { ['k\0']: 'v' } }, { metadata: { a: '\udfff' } }],
      { metadata: Object.fromEntries(['a', 'b', 'c'].map((name) => [name, 'ü'.repeat(1000)])) },
    ];
    for (const body of bad)
      expect([body, await problemOf(await ours.send('PATCH', path, body))]).toEqual([body, '400 invalid-request']);
    expect(
      await problemOf(
        await ours.request(path, {
          method: 'PATCH',
          body: '{"title":',
          headers: { 'content-type': 'application/json' },
        }),
      ),
    ).toBe('400 invalid-request');
    expect(
      await problemOf(
        await ours.request(path, { method: 'PATCH', body: '<a/>', headers: { 'content-type': 'text/xml' } }),
      ),
    ).toBe('415 unsupported-media-type');
    expect(await problemOf(await ours.send('PATCH', path, { title: 'x', pad: 'x'.repeat(70_000) }))).toBe(
      '413 too-large',
    );
    expect((await (await ours.get(path)).json()) as object).not.toHaveProperty('title');
  });

  it('has a new priority in the catalogue only when its work has it too', async () => {
    const job = await received('ours');
    await api.ctx.catalogue.transition(job, { to: 'processing', by: 'test' });
    // No such workflow runs: there is nothing to tell.
    const path = `/v1/assets/${job.assetId}`;
    expect(await (await ours.send('PATCH', path, { priority: 1 })).json()).toMatchObject({ priority: 1 });
    expect((await api.ctx.catalogue.find(job.assetId))?.job).toEqual({ ...job, priority: 1 });
    // One that nobody works on can not be told.
    await api.ctx.temporal.workflow.start('processVideo', { taskQueue: job.assetId, workflowId: job.workflowId });
    expect(await problemOf(await ours.send('PATCH', path, { priority: 5 }))).toBe('503 unavailable');
    expect(await (await ours.get(path)).json()).toMatchObject({ priority: 1 });
    await api.ctx.temporal.workflow.getHandle(job.workflowId).terminate();
  });
});

describe('a list', () => {
  it('is paged, filtered and searched, each asset once', async () => {
    const lister = await api.as('lister');
    const jobs: Job[] = [];
    for (let i = 0; i < 7; i++)
      jobs.push(await received('lister', { title: `Holiday number ${i}`, tags: i % 2 ? ['odd'] : ['even'], bytes: i }));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ limit: '3', ...(cursor && { cursor }) });
      const page = (await (await lister.get(`/v1/assets?${query.toString()}`)).json()) as {
        items: { id: string }[];
        next?: string;
      };
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
    } while (cursor);
    expect(seen).toEqual(jobs.map(({ assetId }) => assetId).reverse());

    const found = async (query: string): Promise<number> => {
      const answer = await lister.get(`/v1/assets?${query}`);
      expect([query, answer.status]).toEqual([query, 200]);
      return ((await answer.json()) as { items: unknown[] }).items.length;
    };
    expect(await found('tags=odd')).toBe(3);
    expect(await found('tags=odd&tags=even')).toBe(0);
    expect(await found('q=holiday+3')).toBe(1);
    expect(await found('state=received&state=ready&kind=video')).toBe(7);
    expect(await found('state=failed')).toBe(0);
    expect(await found('minBytes=2&maxBytes=4&sort=largest')).toBe(3);
    expect(await found(`createdAfter=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)).toBe(0);
    expect(await found(`q=${encodeURIComponent(`'; drop table assets; -- %_\\`)}`)).toBe(0);
  });

  it('is refused for what is no question', async () => {
    const bad = [
      ...[
        'limit=0',
        'limit=201',
        'limit=x',
        'cursor=abc',
        'cursor=',
        'kind=film',
        'state=',
        'minBytes=-1',
        'nonsense=1',
      ],
      ...['createdAfter=yesterday', 'createdAfter=1990-12-31T23:59:60Z', 'similarTo=abc', 'sort=random', 'q=%00'],
      ...['minDuration=x', `q=${'x'.repeat(501)}`, 'tags=%00', 'profile=%00'],
    ];
    const answers: string[] = [];
    for (const query of bad) {
      const answer = await ours.get(`/v1/assets?${query}`);
      answers.push(`${query} ${answer.status === 200 ? 'accepted' : await problemOf(answer)}`);
    }
    expect(answers).toEqual(bad.map((query) => `${query} 400 invalid-request`));
    // The cursor of one question for another.
    for (let i = 0; i < 2; i++) await received('ours');
    const { next } = (await (await ours.get('/v1/assets?limit=1')).json()) as { next: string };
    expect(await problemOf(await ours.get(`/v1/assets?limit=1&kind=video&cursor=${next}`))).toBe('400 invalid-request');
  });
});

describe('the same request again', () => {
  const again = (key: string) => ({ 'idempotency-key': key });

  it('gets the answer of the first, and nothing is done twice', async () => {
    const job = await received('ours');
    const path = `/v1/assets/${job.assetId}`;
    const first = await ours.send('PATCH', path, { title: 'once' }, again('a key'));
    const second = await ours.send('PATCH', path, { title: 'once' }, again('a key'));
    expect([second.status, second.headers.get('etag')]).toEqual([200, first.headers.get('etag')]);
    expect([first.headers.get('idempotency-replayed'), second.headers.get('idempotency-replayed')]).toEqual([
      null,
      'true',
    ]);
    expect(await second.json()).toEqual(await first.json());
    expect((await ours.get(path)).headers.get('etag')).toBe('"r2"');
    expect(await problemOf(await ours.send('PATCH', path, { title: 'other' }, again('a key')))).toBe(
      '422 idempotency-mismatch',
    );
    // Another tenant's keys are its own.
    const others = await received('theirs');
    expect((await theirs.send('PATCH', `/v1/assets/${others.assetId}`, { title: 'x' }, again('a key'))).status).toBe(
      200,
    );
    expect(await problemOf(await ours.send('PATCH', path, { title: 'x' }, again('x'.repeat(256))))).toBe(
      '400 invalid-request',
    );
  });

  it('gets a refusal again too', async () => {
    const nothing = `/v1/assets/${randomBytes(12).toString('hex')}`;
    expect(await problemOf(await ours.send('PATCH', nothing, { title: 'x' }, again('b')))).toBe('404 asset-unknown');
    const second = await ours.send('PATCH', nothing, { title: 'x' }, again('b'));
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(await problemOf(second)).toBe('404 asset-unknown');
  });

  it('is told to wait while the first is under way, and is served when nothing came of it', async () => {
    const job = await received('ours');
    await api.ctx.catalogue.transition(job, { to: 'processing', by: 'test' });
    await api.ctx.temporal.workflow.start('processVideo', { taskQueue: job.assetId, workflowId: job.workflowId });
    const path = `/v1/assets/${job.assetId}`;
    // Waits for a worker that does not come.
    const first = ours.send('PATCH', path, { priority: 1 }, again('c'));
    await sleep(500);
    const meanwhile = await ours.send('PATCH', path, { priority: 1 }, again('c'));
    expect(meanwhile.headers.get('retry-after')).toBe('1');
    expect(await problemOf(meanwhile)).toBe('409 idempotency-in-flight');
    expect(await problemOf(await first)).toBe('503 unavailable');
    await api.ctx.temporal.workflow.getHandle(job.workflowId).terminate();
    const then = await ours.send('PATCH', path, { priority: 1 }, again('c'));
    expect([then.status, then.headers.get('idempotency-replayed')]).toEqual([200, null]);
  });

  it('is done once by many at once', async () => {
    const job = await received('ours');
    const path = `/v1/assets/${job.assetId}`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => ours.send('PATCH', path, { title: 'all' }, again('d'))),
    );
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    expect((await ours.get(path)).headers.get('etag')).toBe('"r2"');
  });
});

describe('every answer', () => {
  it('names its request, by the caller’s own id where it has a good one', async () => {
    const own = await ours.get('/v1/assets', { 'x-request-id': 'abc-1.2:3' });
    expect(own.headers.get('x-request-id')).toBe('abc-1.2:3');
    const odd = await ours.get('/v1/nothing', { 'x-request-id': 'a b<script>' });
    const id = odd.headers.get('x-request-id');
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await odd.json()).toMatchObject({ status: 404, instance: `urn:mediamill:request:${id}` });
  });

  it('is a problem where there is nothing to answer', async () => {
    expect(await problemOf(await ours.get('/v1/nothing'))).toBe('404 not-found');
    expect(await problemOf(await ours.get('/v1/assets/..%2f..%2fetc'))).toMatch(/^40[04] /);
    expect(await problemOf(await ours.get('/v1/assets/%ff'))).toMatch(/^40[04] /);
    const wrong = await ours.send('PUT', '/v1/assets/' + 'a'.repeat(24));
    expect(wrong.headers.get('allow')).toBe('GET, HEAD, PATCH, DELETE, OPTIONS');
    expect(await problemOf(wrong)).toBe('405 method-not-allowed');
  });

  it('of a Temporal that is away says so, and everything else goes on', async () => {
    const away = await openApi({ ...api.ctx.config, temporal: { ...api.ctx.config.temporal, address: '127.0.0.1:1' } });
    try {
      const client = await away.as('ours');
      const job = await received('ours');
      await api.ctx.catalogue.transition(job, { to: 'processing', by: 'test' });
      const path = `/v1/assets/${job.assetId}`;
      const read = await client.get(path);
      expect([read.status, await read.json()]).toMatchObject([200, { state: 'processing' }]);
      const told = await client.send('POST', `${path}/cancel`);
      expect(told.headers.get('retry-after')).not.toBeNull();
      expect(await problemOf(told)).toBe('503 unavailable');
    } finally {
      await away.close();
    }
  });

  it('does not wait for a body that never comes to an end', async () => {
    const { port } = new URL(api.url);
    const socket = connect(Number(port), '127.0.0.1');
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined).resume();
    socket.write(
      `PATCH /v1/assets/${'a'.repeat(24)} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ours.key}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    );
    const drip = setInterval(() => socket.write(' '), 1_000);
    await closed;
    clearInterval(drip);
  });
});

describe('the OpenAPI document', () => {
  it('names every route, its problems and its security', async () => {
    const document = (await (await fetch(`${api.url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { responses: Record<string, { content?: object }>; summary?: string }>>;
      security: unknown;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(document.security).toEqual([{ key: [] }]);
    expect(Object.keys(document.paths['/v1/assets/{id}']!).sort()).toEqual(['delete', 'get', 'patch']);
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, { responses, summary }] of Object.entries(methods)) {
        expect([path, method, summary]).toEqual([path, method, expect.stringMatching(/./)]);
        expect(Object.keys(responses)).toEqual(expect.arrayContaining(['4XX', '5XX']));
        expect([path, method, Object.keys(responses)]).toEqual([
          ...[path, method, expect.arrayContaining([expect.stringMatching(/^[23]/)])],
        ]);
        // Answers to HEAD have no body.
        const bodies = method === 'head' ? [] : ['application/problem+json'];
        expect(Object.keys(responses['4XX']!.content ?? {})).toEqual(bodies);
      }
  });
});
