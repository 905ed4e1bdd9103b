/** The gRPC server on a real store and catalogue, asked by a client that learns the service by reflection. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  credentials,
  loadPackageDefinition,
  status,
  type ClientReadableStream,
  type ClientWritableStream,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { jest } from '@jest/globals';
import { protoPath as HEALTH_PROTO } from 'grpc-health-check';

import { createKey } from '../../src/api/keys.js';
import { openContext, type OpenContext } from '../../src/api/open-context.js';
import type { Config } from '../../src/config/schema.js';
import type { Job } from '../../src/contracts/assets.js';
import { merge } from '../../src/local/addresses.js';
import { createLogger } from '../../src/logging/index.js';
import { SERVICE } from '../../src/starters/grpc/definition.js';
import type {
  ListVideosResponse,
  UploadVideoResponse,
  Video,
  WatchVideoResponse,
} from '../../src/starters/grpc/messages.js';
import { startGrpcServer, type GrpcServer } from '../../src/starters/grpc/server.js';
import { camel, clientByReflection, errorInfo, listServices, snake, withKey } from '../support/grpc.js';
import { jobOf } from '../support/playable.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';

jest.setTimeout(60_000);
const stack = useStack();

type VideoClient = Awaited<ReturnType<typeof clientByReflection>>;
interface Running {
  readonly server: GrpcServer;
  readonly address: string;
  readonly client: VideoClient;
  stop(): Promise<void>;
}

let config: Config;
let opened: OpenContext;
let main: Running;
let ours: string;
let theirs: string;

async function run(of: OpenContext, graceMs?: number): Promise<Running> {
  const server = await startGrpcServer(of.ctx, { host: '127.0.0.1', port: 0, graceMs });
  const address = `127.0.0.1:${server.port}`;
  const client = await clientByReflection(address, SERVICE);
  return {
    ...{ server, address, client },
    async stop() {
      await server.close();
      client.close();
    },
  };
}

const keyOf = async (tenant: string, more: object = {}): Promise<string> =>
  (await createKey(opened.ctx.db, { tenant, name: 'test', scopes: ['write'], ...more })).key;

beforeAll(async () => {
  const overrides = { http: { auth: 'keys' as const, tokenSecret: 'x'.repeat(32) } };
  const isolated = await stack.isolated({ database: true });
  config = merge(isolated, { http: { ...isolated.http, ...overrides.http } });
  opened = openContext(config, createLogger({ ...config.log, level: 'error' }), 'test');
  main = await run(opened);
  ours = await keyOf('ours');
  theirs = await keyOf('theirs');
});

afterAll(async () => {
  await main?.stop();
  await opened?.close();
});

/** @returns the answer, or the error */
function call<T>(method: string, request: object, key: string | null = ours, { client } = main): Promise<T> {
  return new Promise((resolve, reject) => {
    const ask = client[method]!.bind(client) as (...args: unknown[]) => unknown;
    ask(snake(request), withKey(key), (error: ServiceError | null, answer: unknown) =>
      error ? reject(error) : resolve(camel<T>(answer)),
    );
  });
}

/** `NOT_FOUND ASSET_UNKNOWN` */
async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    (value) => {
      throw new Error(`it succeeded: ${JSON.stringify(value)}`);
    },
    (reason: ServiceError) => reason,
  );
  if (error.code === undefined) throw error;
  return `${status[error.code]} ${errorInfo(error).reason}`;
}

interface Upload {
  readonly call: ClientWritableStream<object>;
  readonly answer: Promise<UploadVideoResponse>;
}

function openUpload(key: string | null = ours, { client } = main): Upload {
  let stream: ClientWritableStream<object> | undefined;
  const answer = new Promise<UploadVideoResponse>((resolve, reject) => {
    const ask = client['UploadVideo']!.bind(client) as (...args: unknown[]) => ClientWritableStream<object>;
    stream = ask(withKey(key), (error: ServiceError | null, response: unknown) =>
      error ? reject(error) : resolve(camel(response)),
    );
  });
  answer.catch(() => undefined);
  // What is written after the server has answered goes nowhere.
  stream!.on('error', () => undefined);
  return { call: stream!, answer };
}

/** @param header undefined: the upload begins without one */
function upload(
  bytes: Buffer,
  header: object | undefined = {},
  key = ours,
  chunk = 300_000,
): Promise<UploadVideoResponse> {
  const { call: stream, answer } = openUpload(key);
  if (header) stream.write({ header: snake(header) });
  for (let at = 0; at < bytes.length; at += chunk) stream.write({ chunk: bytes.subarray(at, at + chunk) });
  stream.end();
  return answer;
}

/** Names of objects below a tenant's uploads. */
async function objectsOf(tenant: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of opened.ctx.store.list(config.storage.uploadsBucket, `api/${tenant}/`)) keys.push(key);
  return keys;
}

const list = async (request: object = {}, key = ours): Promise<ListVideosResponse> => call('ListVideos', request, key);
const idsOf = ({ videos }: ListVideosResponse): string[] => videos.map(({ id }) => id);

/** What a workflow would have written of an asset. */
async function asset(tenant: string, own: Partial<Job> = {}, kind: 'video' | 'image' = 'video'): Promise<Job> {
  const job = jobOf({ tenant, ...own });
  await opened.ctx.catalogue.transition(job, { to: 'processing', by: 'test', kind });
  return job;
}

describe('the server', () => {
  it('tells which services there are, and that it serves', async () => {
    expect(await listServices(main.address)).toEqual(['grpc.health.v1.Health', SERVICE]);
    const health = healthOf(main.address);
    expect(await health.check(SERVICE)).toBe('SERVING');
    expect(await health.check('')).toBe('SERVING');
    health.close();
  });

  it('serves on while its catalogue is away, and says so', async () => {
    const url = new URL(config.catalogue.url);
    url.port = '1';
    const away = openContext(merge(config, { catalogue: { url: url.href } }), opened.ctx.logger, 'test');
    const running = await run(away);
    try {
      const health = healthOf(running.address);
      expect([await health.check(''), await health.check(SERVICE)]).toEqual(['SERVING', 'NOT_SERVING']);
      health.close();
      expect(await failure(call('GetVideo', { id: 'a'.repeat(24) }, ours, running))).toBe('UNAVAILABLE UNAVAILABLE');
    } finally {
      await running.stop();
      await away.close();
    }
  });

  it('stops: who watches is told, what is being uploaded arrives, and nothing new begins', async () => {
    const job = await asset('ours');
    const running = await run(opened, 20_000);
    const watching = running.client['WatchVideo']!({ id: job.assetId }, withKey(ours)) as ClientReadableStream<unknown>;
    const told = new Promise<ServiceError>((resolve) => watching.on('error', (error: ServiceError) => resolve(error)));
    await once(watching, 'data');
    watching.resume();
    const health = healthOf(running.address);
    const statuses = health.watch(SERVICE);
    await until('the watcher of its health knows', () => statuses.includes('SERVING'), 20_000);
    const { call: stream, answer } = openUpload(ours, running);
    stream.write({ header: { title: 'late' } });
    stream.write({ chunk: Buffer.from('first ') });
    await until('the upload is open', async () => (await openUploads()) > 0, 20_000);

    const stopped = running.stop();
    expect(await failure(told.then((error) => Promise.reject(error)))).toBe('UNAVAILABLE UNAVAILABLE');
    await until('the watcher of its health knows', () => statuses.at(-1) === 'NOT_SERVING', 20_000);
    stream.write({ chunk: Buffer.from('last') });
    stream.end();
    expect(await answer).toMatchObject({ video: { title: 'late', bytes: 10 } });
    await stopped;
    health.close();
  });

  it('cuts off what does not end in time, and keeps nothing of it', async () => {
    const tenant = `slow-${randomBytes(4).toString('hex')}`;
    const running = await run(opened, 100);
    const { call: stream, answer } = openUpload(await keyOf(tenant), running);
    stream.write({ header: {} });
    stream.write({ chunk: Buffer.alloc(1000) });
    await until('the upload is open', async () => (await openUploads(tenant)) > 0, 20_000);
    await running.stop();
    await expect(answer).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await until('it is closed', async () => (await openUploads(tenant)) === 0, 20_000);
    expect(await objectsOf(tenant)).toEqual([]);
  });
});

const openUploads = async (tenant = 'ours'): Promise<number> => {
  const query = opened.ctx.db.selectFrom('uploads').select('id').where('tenant', '=', tenant);
  return (await query.where('state', '=', 'open').execute()).length;
};

describe('who may do what', () => {
  it('needs a key, and one that is good for it', async () => {
    const job = await asset('ours');
    const id = job.assetId;
    expect(await failure(call('GetVideo', { id }, null))).toBe('UNAUTHENTICATED UNAUTHORIZED');
    expect(await failure(call('GetVideo', { id }, `${ours}x`))).toBe('UNAUTHENTICATED UNAUTHORIZED');
    const reader = await keyOf('ours', { scopes: ['read'] });
    expect(await call<Video>('GetVideo', { id }, reader)).toMatchObject({ id });
    expect(await failure(call('DeleteVideo', { id }, reader))).toBe('PERMISSION_DENIED FORBIDDEN');
    expect(await failure(upload(Buffer.from('x'), {}, reader))).toBe('PERMISSION_DENIED FORBIDDEN');
  });

  it('tells an uploader that he may not, though he goes on talking', async () => {
    const { call: stream, answer } = openUpload('mm_nobody');
    let on = true;
    const failed = failure(answer).finally(() => (on = false));
    stream.write({ header: {} });
    for (let n = 0; on && n < 200; n += 1) {
      if (!stream.write({ chunk: Buffer.alloc(500_000) }))
        await Promise.race([once(stream, 'drain'), failed, sleep(200)]);
    }
    expect(await failed).toBe('UNAUTHENTICATED UNAUTHORIZED');
  });

  it('shows a tenant nothing of others', async () => {
    const { assetId: id } = await asset('ours');
    const unknown = await failure(call('GetVideo', { id: 'f'.repeat(24) }, theirs));
    expect(unknown).toBe('NOT_FOUND ASSET_UNKNOWN');
    expect(await failure(call('GetVideo', { id }, theirs))).toBe(unknown);
    expect(await failure(call('GetVideo', { id: "' or 1=1 --" }, theirs))).toBe(unknown);
    expect(await failure(call('DeleteVideo', { id }, theirs))).toBe(unknown);
    expect(await failure(watched(id, theirs))).toBe(unknown);
    expect(idsOf(await list({ pageSize: 200 }, theirs))).not.toContain(id);
    expect(await call<Video>('GetVideo', { id })).toMatchObject({ state: 'VIDEO_STATE_PROCESSING' });
  });

  it('counts calls, and says when there may be more', async () => {
    const hasty = await keyOf('ours', { limits: { requestsPerMinute: 2 } });
    await list({}, hasty);
    await list({}, hasty);
    const error = await list({}, hasty).catch((reason: ServiceError) => reason);
    expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(errorInfo(error as ServiceError)).toMatchObject({
      reason: 'TOO_MANY_REQUESTS',
      retryAfter: expect.any(Number),
    });
    await list({}, ours);
  });
});

describe('UploadVideo', () => {
  it('stores what came, byte for byte, and answers when it is safe', async () => {
    const bytes = randomBytes(13_000_000);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const header = {
      ...{ fileName: '../böse "file".mp4', contentType: 'video/mp4', size: bytes.length, sha256, title: 'Film' },
      ...{
        tags: ['red', 'blue'],
        metadata: [{ key: 'from', value: 'here' }],
        priority: 2,
        publishBy: { seconds: 4e9 },
      },
    };
    const { video, uploadId } = await upload(bytes, header);
    expect(video).toMatchObject({
      ...{ state: 'VIDEO_STATE_RECEIVED', title: 'Film', contentType: 'video/mp4', bytes: bytes.length, sha256 },
      ...{
        tags: ['red', 'blue'],
        metadata: [{ key: 'from', value: 'here' }],
        priority: 2,
        profile: 'default',
        playable: false,
      },
      fileName: expect.stringContaining('böse'),
    });
    const { createTime } = video;
    expect(Math.abs(createTime.seconds * 1000 - Date.now())).toBeLessThan(60_000);
    const got = await call<Video>('GetVideo', { id: video.id });
    expect(got).toEqual(video);
    const row = await opened.ctx.catalogue.find(video.id);
    expect(bytes.equals(await opened.ctx.store.read(row!.bucket, row!.key))).toBe(true);
    expect(row!.key).not.toContain('..');
    const kinds = await opened.ctx.db
      .selectFrom('uploads')
      .select(['kind', 'state'])
      .where('id', '=', uploadId)
      .execute();
    expect(kinds).toEqual([{ kind: 'grpc', state: 'complete' }]);
  });

  it('keeps nothing of an upload that lies, begins wrongly or says what can not be', async () => {
    const tenant = `liar-${randomBytes(4).toString('hex')}`;
    const key = await keyOf(tenant);
    const bytes = Buffer.from('bytes');
    const sent = (header: object | undefined) => failure(upload(bytes, header, key, 3));
    expect(await sent({ size: 4 })).toBe('DATA_LOSS CHECKSUM_MISMATCH');
    expect(await sent({ size: 6 })).toBe('DATA_LOSS CHECKSUM_MISMATCH');
    expect(await sent({ sha256: 'ab'.repeat(32) })).toBe('DATA_LOSS CHECKSUM_MISMATCH');
    expect(await failure(upload(Buffer.alloc(0), {}, key))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
    for (const header of [
      { sha256: 'no hash' },
      { priority: 9 },
      { profile: '../x' },
      { publishBy: { seconds: 1e15 } },
    ])
      expect([header, await sent(header)]).toEqual([header, 'INVALID_ARGUMENT INVALID_REQUEST']);

    const withoutHeader = openUpload(key);
    withoutHeader.call.write({ chunk: bytes });
    expect(await failure(withoutHeader.answer)).toBe('INVALID_ARGUMENT INVALID_REQUEST');
    const silent = openUpload(key);
    silent.call.end();
    expect(await failure(silent.answer)).toBe('INVALID_ARGUMENT INVALID_REQUEST');
    const twoHeaders = openUpload(key);
    for (const message of [{ header: {} }, { chunk: bytes }, { header: {} }]) twoHeaders.call.write(message);
    twoHeaders.call.end();
    expect(await failure(twoHeaders.answer)).toBe('INVALID_ARGUMENT INVALID_REQUEST');

    expect(await objectsOf(tenant)).toEqual([]);
    expect(idsOf(await list({}, key))).toEqual([]);
    expect(await openUploads(tenant)).toBe(0);
  });

  it('keeps nothing when the client goes away in the middle', async () => {
    const tenant = `gone-${randomBytes(4).toString('hex')}`;
    const { call: stream, answer } = openUpload(await keyOf(tenant));
    stream.write({ header: {} });
    for (let n = 0; n < 20; n += 1) stream.write({ chunk: randomBytes(500_000) });
    await until('the upload is open', async () => (await openUploads(tenant)) === 1, 20_000);
    stream.cancel();
    await expect(answer).rejects.toMatchObject({ code: status.CANCELLED });
    await until('it is closed', async () => (await openUploads(tenant)) === 0, 10_000);
    expect(await objectsOf(tenant)).toEqual([]);
  });
});

describe('ListVideos', () => {
  it('finds by words, tags, state and time, in pages, and no pictures', async () => {
    const tenant = `lister-${randomBytes(4).toString('hex')}`;
    const key = await keyOf(tenant);
    const ids: string[] = [];
    for (const [title, tags] of [
      ['Alpha', ['x']],
      ['Beta', ['x', 'y']],
      ['Gamma', ['y']],
    ] as const) {
      const { video } = await upload(Buffer.from(title), { title, tags }, key);
      ids.unshift(video.id);
    }
    const begun = await asset(tenant);
    const picture = await asset(tenant, {}, 'image');
    const all = [begun.assetId, ...ids];
    expect(idsOf(await list({}, key))).toEqual(all);
    expect(idsOf(await list({ query: 'beta' }, key))).toEqual([ids[1]]);
    expect(idsOf(await list({ tags: ['x'] }, key))).toEqual([ids[1], ids[2]]);
    expect(idsOf(await list({ state: 'VIDEO_STATE_PROCESSING' }, key))).toEqual([begun.assetId]);
    const { createTime } = await call<Video>('GetVideo', { id: ids[1]! }, key);
    expect(idsOf(await list({ createdAfter: createTime }, key))).toEqual(all.slice(0, 3));
    expect(idsOf(await list({ createdBefore: { seconds: 0 } }, key))).toEqual([]);
    expect(await call<Video>('GetVideo', { id: picture.assetId }, key)).toMatchObject({ id: picture.assetId });

    const pages: string[] = [];
    let token: string | undefined;
    do {
      const page = await list({ pageSize: 3, ...(token && { pageToken: token }) }, key);
      expect(page.videos.length).toBeLessThanOrEqual(3);
      pages.push(...idsOf(page));
      token = page.nextPageToken;
    } while (token);
    expect(pages).toEqual(all);
  });

  it.each([
    { pageToken: 'nonsense' },
    { pageSize: -1 },
    { state: 99 },
    { query: 'a\0b' },
    { tags: ['\0'] },
    { createdAfter: { seconds: 1e15 } },
  ])('refuses %j', async (request) => {
    expect(await failure(list(request))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
  });
});

describe('DeleteVideo', () => {
  it('deletes what was meant, and leaves a tombstone', async () => {
    const { video } = await upload(randomBytes(100), { title: 'short-lived' });
    const { id, etag } = video;
    expect(await failure(call('DeleteVideo', { id, etag: '"r99"' }))).toBe('ABORTED PRECONDITION_FAILED');
    expect(await failure(call('DeleteVideo', { id, etag: 'nonsense' }))).toBe('ABORTED PRECONDITION_FAILED');
    expect(await call('DeleteVideo', { id, etag })).toEqual({});
    expect(await call<Video>('GetVideo', { id })).toMatchObject({ state: 'VIDEO_STATE_DELETED', title: '' });
    expect(await call('DeleteVideo', { id })).toEqual({});
    expect(idsOf(await list({ query: 'short-lived' }))).toEqual([]);
  });
});

/** Everything that a watcher is told, to its end. */
function watched(id: string, key = ours): Promise<WatchVideoResponse[]> {
  const stream = main.client['WatchVideo']!({ id }, withKey(key)) as ClientReadableStream<WatchVideoResponse>;
  const messages: WatchVideoResponse[] = [];
  return new Promise((resolve, reject) => {
    stream.on('data', (message: unknown) => messages.push(camel(message)));
    stream.on('error', reject).on('end', () => resolve(messages));
  });
}

describe('WatchVideo', () => {
  it('shows every state that lasts, and ends with the final one', async () => {
    const job = await asset('ours');
    const { catalogue } = opened.ctx;
    const all = watched(job.assetId);
    await sleep(1_200);
    await catalogue.transition(job, { to: 'playable', by: 'test', kind: 'video' });
    await sleep(1_200);
    const error = { code: 'DAMAGED_FILE' as const, message: 'It is.' };
    await catalogue.transition(job, { to: 'failed', by: 'test', error });
    const seen = await all;
    const states = seen.map(({ video }) => video.state.replace('VIDEO_STATE_', ''));
    expect([...new Set(states)]).toEqual(['PROCESSING', 'PLAYABLE', 'FAILED']);
    expect(states.filter((state) => state === 'FAILED')).toHaveLength(1);
    expect(seen.at(-1)?.video.error).toEqual(error);
    expect(seen.find(({ video }) => video.playable)?.video.playback?.hls).toContain(`/v1/assets/${job.assetId}/play/`);
  });

  it('asks nobody any more when nobody watches', async () => {
    const job = await asset('ours');
    const stream = main.client['WatchVideo']!({ id: job.assetId }, withKey(ours)) as ClientReadableStream<unknown>;
    const ended = new Promise<ServiceError>((resolve) => stream.on('error', resolve));
    await once(stream, 'data');
    stream.cancel();
    expect((await ended).code).toBe(status.CANCELLED);
    // A server that still held the call would wait for it to end.
    const running = await run(opened, 5_000);
    const other = running.client['WatchVideo']!({ id: job.assetId }, withKey(ours)) as ClientReadableStream<unknown>;
    other.on('error', () => undefined);
    await once(other, 'data');
    other.cancel();
    await running.stop();
  });
});

interface HealthClient {
  check(service: string): Promise<string>;
  /** The list grows. */
  watch(service: string): string[];
  close(): void;
}

function healthOf(address: string): HealthClient {
  const definition = loadPackageDefinition(loadSync(HEALTH_PROTO, { enums: String, defaults: true }));
  const { Health } = (definition as unknown as { grpc: { health: { v1: { Health: ServiceClientConstructor } } } }).grpc
    .health.v1;
  const client = new Health(address, credentials.createInsecure());
  return {
    check: (service) =>
      new Promise((resolve, reject) => {
        const check = client['Check']!.bind(client) as (...args: unknown[]) => unknown;
        check({ service }, (error: ServiceError | null, answer: { status: string }) =>
          error ? reject(error) : resolve(answer.status),
        );
      }),
    watch(service) {
      const statuses: string[] = [];
      const stream = client['Watch']!({ service }) as ClientReadableStream<{ status: string }>;
      stream.on('data', ({ status: now }: { status: string }) => statuses.push(now)).on('error', () => undefined);
      return statuses;
    },
    close: () => client.close(),
  };
}
