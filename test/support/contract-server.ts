/** Our HTTP server as others meet it, with a tenant that has something of everything, for those who try its contract. */
import { randomUUID } from 'node:crypto';

import getPort from 'get-port';

import { createKey } from '../../src/api/keys.js';
import { openContext } from '../../src/api/open-context.js';
import type { Config } from '../../src/config/schema.js';
import type { AssetDocument, Job, MediaKind } from '../../src/contracts/assets.js';
import { imageUri } from '../../src/contracts/image.js';
import { merge } from '../../src/local/addresses.js';
import { createLogger } from '../../src/logging/index.js';
import { THUMBNAIL_FILE } from '../../src/media/image/plan.js';
import { jobOf, planOf, putPart, putPlan } from './playable.js';
import { startProcess } from './worker.js';

export interface ContractServer {
  readonly base: string;
  readonly key: string;
  /** Contents of schemathesis.toml. */
  readonly settings: string;
  /** What the server complained of, as JSON lines. */
  readonly complaints: () => readonly string[];
}

/** Of each kind: some are deleted on the way. */
const COPIES = 8;

export async function withContractServer<T>(servers: Config, use: (server: ContractServer) => Promise<T>): Promise<T> {
  const http = {
    auth: 'keys' as const,
    tokenSecret: randomUUID(),
    port: await getPort(),
    requestsPerMinute: 0,
    maxOpenUploads: 0,
    holdSeconds: 1,
  };
  const config = merge(servers, { http: { ...servers.http, ...http }, webhooks: { allowPrivate: 'on' } });
  const { ctx, close } = openContext(config, createLogger({ ...config.log, level: 'error' }), 'test');
  const server = await startProcess('starters/http/main.js', config, 'http server ready');
  try {
    const { key } = await createKey(ctx.db, { tenant: 'contract', name: 'test', scopes: ['admin'] });
    const made: { kind: MediaKind; id: string }[] = [];
    const add = async (kind: MediaKind, end: (job: Job) => Promise<unknown>): Promise<void> => {
      const job = jobOf({ tenant: 'contract' });
      await ctx.catalogue.transition(job, { to: 'processing', by: 'test', kind });
      await end(job);
      made.push({ kind, id: job.assetId });
    };
    const { mediaBucket } = config.storage;
    const publish = (job: Job, kind: MediaKind) =>
      ctx.catalogue.publish(job, { to: 'ready', by: 'test', kind, document: documentOf(job, kind) });
    for (let copy = 0; copy < COPIES; copy += 1) {
      await add('video', async (job) => {
        await putPlan(ctx.store, mediaBucket, job, planOf(20));
        await putPart(ctx.store, mediaBucket, job, 'master.m3u8', Buffer.from('#EXTM3U\n'));
        await publish(job, 'video');
      });
      await add('image', async (job) => {
        await putPart(ctx.store, mediaBucket, job, imageUri(THUMBNAIL_FILE));
        await publish(job, 'image');
      });
      const error = { code: 'DAMAGED_FILE' as const, message: 'The file is damaged and can not be decoded.' };
      await add('video', (job) => ctx.catalogue.transition(job, { to: 'failed', by: 'test', error }));
    }
    const base = `http://127.0.0.1:${config.http.port}`;
    const webhooks: string[] = [];
    const uploads: string[] = [];
    const resumables: string[] = [];
    for (let copy = 0; copy < COPIES; copy += 1) {
      // Of a receiver that is not there.
      webhooks.push(await make({ base, key }, '/v1/webhooks', { url: 'http://127.0.0.1:9/' }));
      for (const method of ['put', 'multipart'])
        uploads.push(await make({ base, key }, '/v1/direct-uploads', { method, size: 10_000_000 }));
      resumables.push(await begin({ base, key }, 1000));
    }
    const complaints = () => server.log.filter((line) => /"level":"?(error|50)/.test(line));
    const assets = made.map(({ id }) => id);
    const images = made.flatMap(({ kind, id }) => (kind === 'image' ? [id] : []));
    return await use({
      base,
      key,
      settings: settingsOf({ assets, images, webhooks, uploads, resumables }),
      complaints,
    });
  } finally {
    server.kill('SIGTERM');
    await server.exited;
    await close();
  }
}

/** @returns the id of what it made */
async function make({ base, key }: Pick<ContractServer, 'base' | 'key'>, path: string, body: object): Promise<string> {
  const response = await fetch(base + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return ((await response.json()) as { id: string }).id;
}

/** @returns the id of an upload by tus */
async function begin({ base, key }: Pick<ContractServer, 'base' | 'key'>, size: number): Promise<string> {
  const response = await fetch(`${base}/v1/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'tus-resumable': '1.0.0', 'upload-length': String(size) },
  });
  if (!response.ok) throw new Error(await response.text());
  return response.headers.get('location')!.split('/').at(-1)!;
}

/**
 * Ids of what there is, so that not every answer is a 404. And answers that are right beside those that schemathesis
 * takes for right: what is deleted is 410, a condition that does not hold 412, and so on. A cursor that is none is 400,
 * though it fits its schema, and so is a profile that there is not.
 */
const settingsOf = (ids: Readonly<Record<string, readonly string[]>>): string => `
${Object.entries(ids)
  .map(([name, values]) => `[dictionaries.${name}]\nvalues = ${JSON.stringify(values)}\n`)
  .join('\n')}
[parameters]
"path.id" = { dictionary = "assets" }

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 410, 412, 413, 422, 423, 429]

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 423, 428, 429, 431]

[[operations]]
include-path-regex = "^/images/"
parameters = { "path.id" = { dictionary = "images" } }

[[operations]]
include-path-regex = "^/v1/direct-uploads/"
parameters = { "path.id" = { dictionary = "uploads" } }
# A cancelled upload stays, and says that it is.
checks.use_after_free = { enabled = false }

[[operations]]
include-path-regex = "^/v1/uploads"
# As tus says of another version, and of none.
checks.missing_required_header = { expected-statuses = [400, 401, 403, 406, 412, 415, 422] }
# A header that nobody knows is nobody's.
generation.allow-extra-parameters = false

[[operations]]
include-path-regex = "^/v1/uploads/"
parameters = { "path.id" = { dictionary = "resumables" } }
checks.use_after_free = { enabled = false }

[[operations]]
include-path-regex = "^/v1/webhooks/"
parameters = { "path.id" = { dictionary = "webhooks" } }

[[operations]]
include-name-regex = "^GET (/images|/v1/assets|/v1/webhooks/[^/]+/deliveries)$"
checks.positive_data_acceptance = { expected-statuses = ["2xx", 400, 401, 403, 404] }

[[operations]]
include-name-regex = "^POST (/v1/assets|/v1/assets/[^/]+/reprocess|/v1/uploads|/v1/direct-uploads|/v1/direct-uploads/[^/]+/(parts|complete)|/images)$"
checks.positive_data_acceptance = { expected-statuses = ["2xx", 400, 401, 403, 404, 409, 410, 412, 413, 415, 422] }
`;

function documentOf({ assetId: id, workflowId, source, uploadedAt, generation }: Job, kind: MediaKind): AssetDocument {
  const url = (name: string): string => `http://127.0.0.1:9000/media/assets/${id}/g${generation}/${name}`;
  const picture = {
    name: THUMBNAIL_FILE,
    type: 'thumbnail' as const,
    mime: 'image/jpeg',
    width: 100,
    height: 100,
    bytes: 9,
  };
  const rung = {
    name: '720p',
    type: 'video' as const,
    mime: 'application/vnd.apple.mpegurl',
    bytes: 9,
    codecs: 'avc1.64001f',
  };
  const image = {
    ...{ width: 10, height: 10, format: 'jpeg', frames: 1, hasAlpha: false, thumbHash: 'AA==', blurHash: 'x' },
    ...{ dominantColour: '#000000', palette: ['#000000'], perceptualHash: '0'.repeat(16), sha256: 'a'.repeat(64) },
    picture: '<picture></picture>',
  };
  return {
    ...{ id, workflowId, kind, source, state: 'ready' },
    timings: { uploadedAt, startedAt: uploadedAt, readyAt: uploadedAt },
    ...(kind === 'image'
      ? { playback: {}, renditions: [{ ...picture, url: url(imageUri(THUMBNAIL_FILE)) }], image }
      : { playback: { hls: url('master.m3u8') }, renditions: [{ ...rung, url: url('video/720p/index.m3u8') }] }),
  };
}
