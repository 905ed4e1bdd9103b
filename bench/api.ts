/**
 * What the HTTP API takes and tells: uploads per second of images of 100 kB, over the rate at which the bare store
 * takes the same bytes, in turns; then p50 and p99 of one asset's status and of lists, with many assets in the
 * catalogue. Nobody works on what is uploaded: it goes to the store, the catalogue and Kafka.
 *
 * `BENCH_ASSETS` (100,000), `BENCH_UPLOADS` (500) in each of `BENCH_ROUNDS` (3), `BENCH_REQUESTS` (2000), `BENCH_USERS`
 * (8) at once.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';

import getPort from 'get-port';
import pLimit from 'p-limit';

import { createKey } from '../src/api/keys.js';
import { openContext } from '../src/api/open-context.js';
import { merge } from '../src/local/addresses.js';
import { createLogger } from '../src/logging/index.js';
import { table } from '../src/starters/cli/format.js';
import { median, setting, sorted, spread } from './support/numbers.js';
import { BIG_TENANT, fill } from './support/search-catalogue.js';
import { withBenchServers, withProcesses } from './support/stack.js';

const ASSETS = setting('BENCH_ASSETS', 100_000);
const UPLOADS = setting('BENCH_UPLOADS', 500);
const ROUNDS = setting('BENCH_ROUNDS', 3);
const REQUESTS = setting('BENCH_REQUESTS', 2_000);
const USERS = setting('BENCH_USERS', 8);
const IMAGE_BYTES = 100_000;
/** A bucket that announces nothing, as the API's own way does without the store's announcement. */
const BARE_BUCKET = 'bare';

interface Api {
  readonly base: string;
  readonly key: string;
}

/** What begins as a JPEG does, and is no other. */
const image = (): Buffer => Buffer.concat([Buffer.from('ffd8ffe000104a464946', 'hex'), randomBytes(IMAGE_BYTES - 10)]);

async function uploads(api: Api, put: (name: string, bytes: Buffer) => Promise<void>): Promise<void> {
  const post = async (_name: string, bytes: Buffer): Promise<void> => {
    const { status, body } = await ask(api, 'POST', '/v1/assets', bytes);
    if (status !== 201) throw new Error(`POST /v1/assets: ${status} ${body}`);
  };
  const bare: number[] = [];
  const ours: number[] = [];
  const times: number[] = [];
  // The first round warms both up and is not counted.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const images = Array.from({ length: UPLOADS }, image);
    const a = await pace(images, put);
    const b = await pace(images, post);
    if (round === 0) continue;
    bare.push(a.rate);
    ours.push(b.rate);
    times.push(...b.times);
  }
  console.log(
    table([
      ['100 KB IMAGES', 'PER SECOND', 'P50', 'P99'],
      ['PUT, bare store', median(bare).toFixed(0), '', ''],
      ['POST /v1/assets', median(ours).toFixed(0), ...quantiles(times)],
    ]),
  );
  console.log(
    `over the bare store: ${spread(
      ours.map((rate, n) => rate / bare[n]!),
      2,
    )}\n`,
  );
}

async function pace(
  images: readonly Buffer[],
  send: (name: string, bytes: Buffer) => Promise<void>,
): Promise<{ rate: number; times: number[] }> {
  const limit = pLimit(USERS);
  const times: number[] = [];
  const started = performance.now();
  await Promise.all(
    images.map((bytes) =>
      limit(async () => {
        const begun = performance.now();
        await send(randomUUID(), bytes);
        times.push(performance.now() - begun);
      }),
    ),
  );
  return { rate: (images.length * 1000) / (performance.now() - started), times };
}

/** Of some assets all over the list. */
async function someIds(api: Api): Promise<string[]> {
  const ids: string[] = [];
  for (const sort of ['newest', 'oldest', 'name']) {
    const { status, body } = await ask(api, 'GET', `/v1/assets?limit=200&sort=${sort}`);
    if (status !== 200) throw new Error(`GET /v1/assets?sort=${sort}: ${status} ${body}`);
    ids.push(...(JSON.parse(body) as { items: { id: string }[] }).items.map(({ id }) => id));
  }
  return ids;
}

async function answers(api: Api): Promise<void> {
  const ids = await someIds(api);
  const questions: Readonly<Record<string, (n: number) => string>> = {
    'GET /v1/assets/{id}': (n) => `/v1/assets/${ids[n % ids.length]}`,
    'GET /v1/assets': () => '/v1/assets?limit=50',
    'GET /v1/assets?state=ready&kind=video': () => '/v1/assets?limit=50&state=ready&kind=video',
    'GET /v1/assets?q=...': (n) => `/v1/assets?limit=50&q=${['holiday', 'berlin', 'sunset', 'report'][n % 4]}`,
  };
  const rows: string[][] = [];
  for (const [name, path] of Object.entries(questions)) {
    const limit = pLimit(USERS);
    const times: number[] = [];
    const started = performance.now();
    await Promise.all(
      Array.from({ length: REQUESTS }, (_, n) =>
        limit(async () => {
          const begun = performance.now();
          const { status, body } = await ask(api, 'GET', path(n));
          if (status !== 200) throw new Error(`GET ${path(n)}: ${status} ${body}`);
          times.push(performance.now() - begun);
        }),
      ),
    );
    rows.push([name, ((REQUESTS * 1000) / (performance.now() - started)).toFixed(0), ...quantiles(times)]);
  }
  console.log(table([[`${ASSETS} ASSETS, ${USERS} USERS`, 'PER SECOND', 'P50', 'P99'], ...rows]));
}

const quantiles = (times: readonly number[]): [string, string] => {
  const all = sorted(times);
  const at = (share: number): string =>
    `${all[Math.min(all.length - 1, Math.floor(all.length * share))]!.toFixed(1)} ms`;
  return [at(0.5), at(0.99)];
};

const agent = new Agent({ keepAlive: true, maxSockets: USERS });

function ask(
  { base, key }: Api,
  method: string,
  path: string,
  bytes?: Buffer,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(bytes && { 'content-type': 'image/jpeg', 'content-length': bytes.length }),
    };
    const sent = httpRequest(new URL(path, base), { method, headers, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(bytes);
  });
}

await withBenchServers(({ config: servers }) =>
  withProcesses(async (start) => {
    const http = { auth: 'keys' as const, tokenSecret: randomUUID(), port: await getPort(), requestsPerMinute: 0 };
    const config = merge(servers, { http: { ...servers.http, ...http, maxOpenUploads: 0 } });
    const { ctx, close } = openContext(config, createLogger({ ...config.log, level: 'error' }), 'bench');
    try {
      await ctx.store.ensureBucket(BARE_BUCKET);
      await fill(ctx.db, ASSETS, (line) => console.error(line));
      const { key } = await createKey(ctx.db, { tenant: BIG_TENANT, name: 'bench', scopes: ['write'] });
      await start('starters/http/main.js', config);
      const api = { base: `http://127.0.0.1:${http.port}`, key };
      await uploads(api, (name, bytes) =>
        ctx.store.putBytes(BARE_BUCKET, name, bytes, { contentType: 'image/jpeg' }).then(() => undefined),
      );
      await answers(api);
    } finally {
      await close();
    }
  }),
);
