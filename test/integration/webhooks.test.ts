/** From a change of state to a receiver: catalogue, outbox, relay, Temporal and a worker, all real. */
import { randomUUID } from 'node:crypto';

import { RELAY_HANDLERS } from '../../src/api/relay/handlers.js';
import { startRelay, type Relay } from '../../src/api/relay/relay.js';
import { relayWebhook } from '../../src/api/relay/webhook.js';
import { rotated } from '../../src/api/webhooks/endpoints.js';
import { step } from '../../src/catalogue/step.js';
import { countOutbox } from '../../src/catalogue/outbox.js';
import { pruneDeliveries } from '../../src/catalogue/webhooks.js';
import type { Config } from '../../src/config/index.js';
import type { AssetState, Job } from '../../src/contracts/assets.js';
import { createLogger } from '../../src/logging/index.js';
import { createProducer } from '../../src/messaging/kafka.js';
import { openApi, problemOf, type Client, type TestApi } from '../support/api.js';
import { jobOf } from '../support/job.js';
import { openReceiver, verify, type Receiver } from '../support/receiver.js';
import { useStack } from '../support/stack.js';
import { until } from '../support/processes.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const stack = useStack();
let config: Config;
let api: TestApi;
let relay: Relay;
let worker: OwnProcess;
let closeProducer: () => Promise<void>;

beforeAll(async () => {
  config = await stack.isolated({ database: true, overrides: { webhooks: { allowPrivate: 'on' } } });
  api = await openApi(config);
  const producer = await createProducer(config.kafka, createLogger({ ...config.log, level: 'error' }));
  closeProducer = () => producer.close();
  relay = startRelay({ ...api.ctx, producer }, RELAY_HANDLERS);
  worker = await startProcess('workers/media.js', config, 'worker ready');
}, 180_000);

afterAll(async () => {
  worker?.kill('SIGTERM');
  await worker?.exited;
  await relay?.close();
  await closeProducer?.();
  await api?.close();
}, 60_000);

let receiver: Receiver;
let tenant: string;
let admin: Client;

beforeEach(async () => {
  receiver = await openReceiver();
  tenant = `t-${randomUUID().slice(0, 8)}`;
  admin = await api.as(tenant, { scopes: ['admin'] });
});

afterEach(() => receiver.close());

interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly events: string[];
  readonly enabled: boolean;
  readonly secret: string;
}

interface Delivery {
  readonly id: string;
  readonly eventId: string;
  readonly type: string;
  readonly state: string;
  readonly attempts: number;
  readonly lastStatus?: number;
  readonly lastError?: string;
}

const json = async <T>(response: Promise<Response>): Promise<T> => {
  const got = await response;
  if (!got.ok) throw new Error(`${got.status} ${await got.text()}`);
  return (await got.json()) as T;
};

const create = (events: string[] = [], url = receiver.url): Promise<Webhook> =>
  json(admin.send('POST', '/v1/webhooks', { url, events }));

const deliveries = async (id: string, query = ''): Promise<Delivery[]> =>
  (await json<{ items: Delivery[] }>(admin.get(`/v1/webhooks/${id}/deliveries${query}`))).items;

function newJob(own: Partial<Job> = {}): Job {
  return jobOf({ bucket: 'uploads', key: `${randomUUID()}.mp4`, etag: 'e' }, { tenant, ...own });
}

async function pass(job: Job, ...states: AssetState[]): Promise<void> {
  for (const to of states) await api.ctx.catalogue.transition(job, { to, by: 'test', kind: 'video' });
}

/** What is delivered and what is still to be is settled. */
async function settled(id: string, count: number): Promise<Delivery[]> {
  let all: Delivery[] = [];
  await until(
    `${count} settled deliveries`,
    async () => {
      all = await deliveries(id);
      return all.filter(({ state }) => state !== 'pending').length >= count;
    },
    30_000,
  );
  return all;
}

test('every change of state that an endpoint asked for arrives, signed, with what the uploader called it', async () => {
  const { id, secret } = await create(['asset.processing', 'asset.failed']);
  const job = newJob({ metadata: { orderId: '7' } });
  await pass(job, 'processing', 'playable');
  const error = { code: 'DAMAGED_FILE', message: 'The file is damaged and can not be decoded.' } as const;
  await api.ctx.catalogue.transition(job, { to: 'failed', by: 'test', error });

  const received = await receiver.until(2);
  await settled(id, 2);
  expect(received).toHaveLength(2);
  for (const one of received) expect(() => verify(secret, one)).not.toThrow();
  const ordered = [...received].sort((a, b) => a.event.timestamp.localeCompare(b.event.timestamp));
  expect(ordered.map(({ event }) => event.type)).toEqual(['asset.processing', 'asset.failed']);
  expect(ordered[1]!.event.data).toEqual({
    ...{ assetId: job.assetId, tenant, generation: 1, kind: 'video', state: 'failed', error },
    ...{ title: null, metadata: { orderId: '7' } },
  });
  expect(new Set(received.map((one) => one.id)).size).toBe(2);
  expect((await deliveries(id)).map(({ state, attempts, lastStatus }) => [state, attempts, lastStatus])).toEqual([
    ['delivered', 1, 204],
    ['delivered', 1, 204],
  ]);
  expect(await countOutbox(api.ctx.db)).toEqual({});
}, 60_000);

test('a transition that is undone, refused or repeated tells nobody', async () => {
  const { id } = await create();
  const job = newJob();
  const undone = api.ctx.db.transaction().execute(async (tx) => {
    await step(tx, newJob(), { to: 'processing', by: 'test' });
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  await pass(job, 'processing', 'processing', 'failed', 'playable', 'failed');
  expect((await settled(id, 2)).map(({ type }) => type).sort()).toEqual(['asset.failed', 'asset.processing']);
}, 60_000);

test('a tenant hears of its own assets only, and no other tenant sees or touches its webhooks', async () => {
  const { id } = await create();
  const other = await api.as(`${tenant}-other`, { scopes: ['admin'] });
  await pass(newJob({ tenant: `${tenant}-other` }), 'processing');
  await pass(newJob(), 'processing');
  await settled(id, 1);
  expect(receiver.received.map(({ event }) => event.data.tenant)).toEqual([tenant]);

  const [delivery] = await deliveries(id);
  const paths = [
    ['GET', `/v1/webhooks/${id}`],
    ['PATCH', `/v1/webhooks/${id}`, { enabled: false }],
    ['DELETE', `/v1/webhooks/${id}`],
    ['POST', `/v1/webhooks/${id}/rotate-secret`, {}],
    ['POST', `/v1/webhooks/${id}/test`],
    ['GET', `/v1/webhooks/${id}/deliveries`],
    ['POST', `/v1/webhooks/${id}/deliveries/${delivery!.id}/replay`],
    ['POST', `/v1/webhooks/${id}/replay`, { since: '2020-01-01T00:00:00Z' }],
  ] as const;
  for (const [method, path, body] of paths) {
    expect(await problemOf(await other.send(method, path, body))).toBe('404 webhook-unknown');
  }
  expect(await json(other.get('/v1/webhooks'))).toEqual({ items: [] });
}, 60_000);

test('webhooks take the scope admin', async () => {
  const writer = await api.as(tenant, { scopes: ['read', 'write'] });
  expect(await problemOf(await writer.get('/v1/webhooks'))).toBe('403 forbidden');
  expect(await problemOf(await writer.send('POST', '/v1/webhooks', { url: receiver.url }))).toBe('403 forbidden');
});

test('the secret is shown once', async () => {
  const { id, secret } = await create();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(JSON.stringify(await json(admin.get('/v1/webhooks')))).not.toContain(secret);
  expect(JSON.stringify(await json(admin.get(`/v1/webhooks/${id}`)))).not.toContain(secret);
});

test('a receiver that refuses is tried again, with the same id and a new signature', async () => {
  const { id, secret } = await create();
  receiver.answer(500);
  await pass(newJob(), 'processing');
  const [first, second] = await receiver.until(2);
  expect(second!.id).toBe(first!.id);
  expect(second!.body).toBe(first!.body);
  expect(() => verify(secret, second!)).not.toThrow();
  const [delivery] = await settled(id, 1);
  expect(delivery).toMatchObject({ state: 'delivered', attempts: 2, lastStatus: 204 });
  expect(delivery!.lastError).toBeUndefined();
}, 60_000);

test('while a secret is rotated both sign; when the old one has ended only the new one does', async () => {
  const { id, secret: old } = await create();
  const { secret } = await json<Webhook>(admin.send('POST', `/v1/webhooks/${id}/rotate-secret`, { keepHours: 1 }));
  await pass(newJob(), 'processing');
  const [both] = await receiver.until(1);
  expect(() => verify(old, both!)).not.toThrow();
  expect(() => verify(secret, both!)).not.toThrow();

  const { secret: last } = await json<Webhook>(
    admin.send('POST', `/v1/webhooks/${id}/rotate-secret`, { keepHours: 0 }),
  );
  await pass(newJob(), 'processing');
  const [, one] = await receiver.until(2);
  expect(() => verify(last, one!)).not.toThrow();
  for (const gone of [old, secret]) expect(() => verify(gone, one!)).toThrow();
}, 60_000);

test('secrets that are on their way out keep their end, and there are never more than five', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  let secrets = rotated([{ secret: 'a' }], 'b', 1, now);
  expect(secrets).toEqual([{ secret: 'b' }, { secret: 'a', until: '2026-01-01T01:00:00.000Z' }]);
  secrets = rotated(secrets, 'c', 24, now);
  expect(secrets[2]).toEqual({ secret: 'a', until: '2026-01-01T01:00:00.000Z' });
  for (const next of ['d', 'e', 'f']) secrets = rotated(secrets, next, 24, now);
  expect(secrets.map(({ secret }) => secret)).toEqual(['f', 'e', 'd', 'c', 'b']);
});

test('an event is sent again on request, and its receiver can tell by its id', async () => {
  const { id } = await create();
  await pass(newJob(), 'processing');
  const [delivery] = await settled(id, 1);
  await json(admin.send('POST', `/v1/webhooks/${id}/deliveries/${delivery!.id}/replay`));
  const [first, second] = await receiver.until(2);
  expect(second!.id).toBe(first!.id);
  expect(second!.body).toBe(first!.body);
  expect((await settled(id, 2)).map(({ eventId }) => eventId)).toEqual([delivery!.eventId, delivery!.eventId]);
  const unknown = await admin.send('POST', `/v1/webhooks/${id}/deliveries/nothing/replay`);
  expect(await problemOf(unknown)).toBe('404 not-found');
}, 60_000);

test('all that was sent since a time is sent again, each event once', async () => {
  const { id } = await create();
  const since = new Date(Date.now() - 1000).toISOString();
  await pass(newJob(), 'processing', 'failed');
  await pass(newJob(), 'processing');
  await settled(id, 3);
  const replay = (body: object) => json(admin.send('POST', `/v1/webhooks/${id}/replay`, { since, ...body }));
  expect(await replay({})).toEqual({ deliveries: 0 });
  expect(await replay({ states: ['delivered'] })).toEqual({ deliveries: 3 });
  await settled(id, 6);
  expect(await replay({ states: ['delivered', 'failed'] })).toEqual({ deliveries: 3 });
  await settled(id, 9);
  expect(new Set(receiver.received.map((one) => one.id)).size).toBe(3);
  expect(await replay({ states: ['delivered'], until: since })).toEqual({ deliveries: 0 });
  const leap = await admin.send('POST', `/v1/webhooks/${id}/replay`, { since: '2016-12-31T23:59:60Z' });
  expect(await problemOf(leap)).toBe('400 invalid-request');
}, 60_000);

test('deliveries come in pages, newest first', async () => {
  const { id } = await create();
  await pass(newJob(), 'processing', 'playable', 'failed');
  const all = await settled(id, 3);
  const first = await json<{ items: Delivery[]; next: string }>(admin.get(`/v1/webhooks/${id}/deliveries?limit=2`));
  const second = await json<{ items: Delivery[]; next?: string }>(
    admin.get(`/v1/webhooks/${id}/deliveries?limit=2&cursor=${first.next}`),
  );
  expect([...first.items, ...second.items].map((one) => one.id)).toEqual(all.map((one) => one.id));
  expect(second.next).toBeUndefined();
  expect(await deliveries(id, '?state=failed')).toEqual([]);
}, 60_000);

test('a receiver that is gone for good is not asked again until its owner says so', async () => {
  const { id } = await create();
  receiver.answer(410);
  await pass(newJob(), 'processing');
  const [delivery] = await settled(id, 1);
  expect(delivery).toMatchObject({ state: 'failed', attempts: 1, lastStatus: 410 });
  await until('it is disabled', async () => !(await json<Webhook>(admin.get(`/v1/webhooks/${id}`))).enabled, 30_000);
  await pass(newJob(), 'processing');
  expect(await problemOf(await admin.send('POST', `/v1/webhooks/${id}/test`))).toBe('409 conflict');
  expect(await deliveries(id)).toHaveLength(1);

  await json(admin.send('PATCH', `/v1/webhooks/${id}`, { enabled: true }));
  await pass(newJob(), 'processing');
  await settled(id, 2);
  expect(receiver.received).toHaveLength(2);
}, 60_000);

test('an endpoint that is disabled or removed while its receiver was away is left alone', async () => {
  const { id } = await create();
  receiver.answer(500, 500);
  await pass(newJob(), 'processing');
  await receiver.until(1);
  await json(admin.send('PATCH', `/v1/webhooks/${id}`, { enabled: false }));
  const [delivery] = await settled(id, 1);
  expect(delivery).toMatchObject({ state: 'failed', lastError: 'The endpoint is disabled.' });

  const removed = await create();
  await pass(newJob(), 'processing');
  await receiver.until(2);
  expect((await admin.send('DELETE', `/v1/webhooks/${removed.id}`)).status).toBe(204);
  expect(await problemOf(await admin.send('DELETE', `/v1/webhooks/${removed.id}`))).toBe('404 webhook-unknown');
  await until(
    'its workflow has ended',
    async () => {
      const query = `WorkflowType = 'deliverWebhook' AND TaskQueue = '${config.queues.media}' AND ExecutionStatus = 'Running'`;
      return (await api.ctx.temporal.workflow.count(query)).count === 0;
    },
    30_000,
  );
  expect(receiver.received).toHaveLength(2);
}, 60_000);

test('an endpoint can be tried', async () => {
  const { id, secret } = await create(['asset.ready']);
  await json(admin.send('POST', `/v1/webhooks/${id}/test`));
  const [one] = await receiver.until(1);
  expect(() => verify(secret, one!)).not.toThrow();
  expect(one!.event).toMatchObject({ type: 'webhook.test', data: {} });
}, 60_000);

test('a row of the outbox that comes again starts nothing twice', async () => {
  const { id } = await create();
  await pass(newJob(), 'processing');
  const [delivery] = await settled(id, 1);
  await relayWebhook(api.ctx, { deliveryId: delivery!.id, tenant });
  expect((await deliveries(id))[0]).toMatchObject({ state: 'delivered', attempts: 1 });
  expect(receiver.received).toHaveLength(1);
}, 60_000);

test('what was settled long ago is forgotten', async () => {
  const { id } = await create();
  await pass(newJob(), 'processing');
  await settled(id, 1);
  await pruneDeliveries(api.ctx.db, new Date(Date.now() - 60_000));
  expect(await deliveries(id)).toHaveLength(1);
  await pruneDeliveries(api.ctx.db, new Date(Date.now() + 60_000));
  expect(await deliveries(id)).toEqual([]);
}, 60_000);

test('a tenant has at most twenty, also when it asks for all of them at once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 24 }, () => admin.send('POST', '/v1/webhooks', { url: receiver.url })),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(4);
}, 60_000);

describe('where private addresses are refused', () => {
  let strict: TestApi;
  let client: Client;
  beforeAll(async () => {
    strict = await openApi(config, { webhooks: { allowPrivate: 'off' } });
    client = await strict.as(`t-${randomUUID().slice(0, 8)}`, { scopes: ['admin'] });
  });
  afterAll(() => strict.close());

  test.each([
    'http://example.com/hook',
    'https://127.0.0.1/hook',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[64:ff9b::a00:1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://100.64.0.1/',
    'https://localhost/',
    'https://a.localhost./',
    'https://user:password@example.com/',
    'ftp://example.com/',
    'javascript:alert(1)',
    'no url',
  ])('%s is refused', async (url) => {
    expect(await problemOf(await client.send('POST', '/v1/webhooks', { url }))).toBe('422 url-refused');
  });

  test('a public one is taken', async () => {
    const { id } = await json<Webhook>(client.send('POST', '/v1/webhooks', { url: 'https://example.com/hook#part' }));
    expect(await json(client.get(`/v1/webhooks/${id}`))).toMatchObject({ url: 'https://example.com/hook' });
    const changed = await client.send('PATCH', `/v1/webhooks/${id}`, { url: 'https://10.0.0.1/' });
    expect(await problemOf(changed)).toBe('422 url-refused');
  });
});
