/**
 * Many users of the old image service at once, on everything that there is in production: post, ask until it is done,
 * fetch the thumbnail, delete. No error, and nothing left behind.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import sharp from 'sharp';

import { createKey } from '../../src/api/keys.js';
import { openContext, type OpenContext } from '../../src/api/open-context.js';
import type { Config } from '../../src/config/schema.js';
import { merge } from '../../src/local/addresses.js';
import { createLogger } from '../../src/logging/index.js';
import { photo } from '../support/estate.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

jest.setTimeout(300_000);
const USERS = 12;
const ROUNDS = 4;
/** Everything that is asked for comes in the end; a test run shares its machine with others. Milliseconds. */
const PATIENCE = 240_000;

const stack = useStack();
let dir: string;
let config: Config;
let context: OpenContext;
let processes: OwnProcess[] = [];
let url: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-images-'));
  const isolated = await stack.isolated({ database: true });
  config = merge(isolated, {
    scratch: { dir: join(dir, 'scratch') },
    http: { port: 0, auth: 'keys', tokenSecret: randomBytes(32).toString('hex'), requestsPerMinute: 0 },
  });
  context = openContext(config, createLogger({ ...config.log, level: 'error' }), 'test');
  processes = await Promise.all([
    startProcess('workers/all.js', config, 'worker ready'),
    startProcess('starters/kafka/main.js', config, 'starter ready'),
    startProcess('starters/http/main.js', config, 'http server ready'),
  ]);
  const ready = processes[2]!.log.find((line) => line.includes('http server ready'))!;
  url = (JSON.parse(ready) as { address: string }).address;
}, 180_000);

afterAll(async () => {
  for (const one of processes) one.kill('SIGTERM');
  await Promise.all(processes.map(({ exited }) => exited));
  await context?.close();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

interface Image {
  media_id: string;
  state: 'Processing' | 'Completed' | 'Error';
  code: string;
}

class User {
  constructor(private readonly key: string) {}

  #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.key}`, ...(init.headers as Record<string, string>) };
    return fetch(url + path, { ...init, headers });
  }

  async post(bytes: Buffer): Promise<string> {
    const init = { method: 'POST', body: bytes.toString('base64'), headers: { 'content-type': 'image/jpeg' } };
    const response = await this.#ask('/images', init);
    expect(response.status).toBe(202);
    return ((await response.json()) as Image).media_id;
  }

  async ended(id: string): Promise<Image> {
    for (const since = Date.now(); Date.now() - since < PATIENCE; await sleep(100)) {
      const response = await this.#ask(`/images/${id}`);
      expect(response.status).toBe(200);
      const image = (await response.json()) as Image;
      if (image.state !== 'Processing') return image;
    }
    throw new Error(`${id} does not end\n${processes.flatMap(({ log }) => log.slice(-10)).join('\n')}`);
  }

  async thumbnail(id: string): Promise<Buffer> {
    const response = await this.#ask(`/images/${id}/thumbnail`);
    expect(response.status).toBe(200);
    return Buffer.from(await response.text(), 'base64');
  }

  async list(): Promise<string[]> {
    const response = await this.#ask('/images?limit=200');
    expect(response.status).toBe(200);
    return ((await response.json()) as Image[]).map(({ media_id }) => media_id);
  }

  async delete(id: string): Promise<void> {
    expect((await this.#ask(`/images/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await this.#ask(`/images/${id}`)).status).toBe(404);
  }

  async refused(body: string): Promise<number> {
    return (await this.#ask('/images', { method: 'POST', body, headers: { 'content-type': 'image/png' } })).status;
  }
}

/** The last round is not like the others: bytes that are no image, and an image that is not waited for. */
async function visit(user: User, round: number): Promise<void> {
  const isLast = round === ROUNDS - 1;
  const id = await user.post(isLast ? randomBytes(2_000) : await photo());
  expect(await user.list()).toContain(id);
  if (isLast) {
    expect(await user.ended(id)).toMatchObject({ state: 'Error' });
    expect(await user.refused('this is not base64')).toBe(400);
    await user.delete(await user.post(await photo()));
  } else {
    expect(await user.ended(id)).toMatchObject({ state: 'Completed', code: '' });
    const { format, width, height } = await sharp(await user.thumbnail(id)).metadata();
    expect({ format, width, height }).toEqual({ format: 'jpeg', width: 100, height: 100 });
  }
  await user.delete(id);
}

async function left(bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of context.ctx.store.listVersions(bucket, '')) keys.push(key);
  return keys;
}

it('serves them all, and keeps nothing', async () => {
  const { db } = context.ctx;
  const { key } = await createKey(db, { tenant: 'acme', name: 'stress', scopes: ['read', 'write'] });
  const user = new User(key);
  await Promise.all(
    Array.from({ length: USERS }, async () => {
      for (let round = 0; round < ROUNDS; round += 1) await visit(user, round);
    }),
  );
  expect(await user.list()).toEqual([]);

  const { uploadsBucket, mediaBucket } = config.storage;
  let rest: unknown;
  await until(
    'everything is gone',
    async () => {
      const rows = db.selectFrom('assets').select(['id', 'state']);
      const unfinished = await rows.where((eb) => eb.or([eb('state', '<>', 'deleted'), eb('purged_at', 'is', null)])).execute(); // prettier-ignore
      const outbox = await db.selectFrom('outbox').select(['kind', 'payload', 'attempts']).execute();
      const objects = (await Promise.all([uploadsBucket, mediaBucket].map(left))).flat();
      rest = { unfinished, outbox, objects };
      return unfinished.length + outbox.length + objects.length === 0;
    },
    PATIENCE,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${JSON.stringify(rest, null, 1)}`);
  });
  const { count } = await db
    .selectFrom('assets')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow();
  expect(Number(count)).toBe(USERS * (ROUNDS + 1));
  const open = await db.selectFrom('uploads').select(['id', 'state']).where('state', '<>', 'complete').execute();
  expect(open.map(({ state }) => state)).toEqual(Array(USERS).fill('failed'));
  const workflows = context.ctx.temporal.workflow.list({
    query: `TaskQueue = '${config.queues.media}' AND ExecutionStatus = 'Running'`,
  });
  for await (const { workflowId } of workflows) throw new Error(`${workflowId} still runs`);
  const errors = processes.flatMap(({ log }) => log).filter((line) => /"level":"?(error|50)/.test(line));
  expect(errors).toEqual([]);
});
