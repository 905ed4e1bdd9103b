/** Assets and their whole life on real servers: real workers, a relay, and the use-cases of the front doors. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Client } from 'minio';
import sharp from 'sharp';

import type { Finding } from '../../src/activities/housekeeping/findings.js';
import { survey } from '../../src/activities/housekeeping/survey.js';
import { RELAY_HANDLERS } from '../../src/api/relay/handlers.js';
import { startRelay, type Relay } from '../../src/api/relay/relay.js';
import type { Caller } from '../../src/api/caller.js';
import type { ApiContext } from '../../src/api/context.js';
import { openContext } from '../../src/api/open-context.js';
import type { AssetRow } from '../../src/catalogue/catalogue.js';
import { planStart, startWorkflow } from '../../src/client/start.js';
import type { Config } from '../../src/config/schema.js';
import type { Job } from '../../src/contracts/assets.js';
import { merge } from '../../src/local/addresses.js';
import { createLogger } from '../../src/logging/index.js';
import { createProducer } from '../../src/messaging/kafka.js';
import type { EventProducer } from '../../src/messaging/messaging.js';
import { jobOf } from './job.js';
import { scene } from './pictures.js';
import { until } from './processes.js';
import { startProcess, type OwnProcess } from './worker.js';

/** Two rungs of a small picture, in short chunks. */
const PROFILE = `
extends: default
description: Small pictures in short chunks.
rungs:
  - { size: 180, codec: h264, crf: 23, capKbps: 800 }
  - { size: 90, codec: h264, crf: 23, capKbps: 300 }
chunkSegments: 1
`;
export const SMALL = 'small';
/** The same, but one rung. */
export const SMALLER = 'smaller';

/** A small picture that nobody has uploaded before. */
export const photo = (seed: number = randomInt(2 ** 31)): Promise<Buffer> =>
  sharp(scene(64, 48, seed), { raw: { width: 64, height: 48, channels: 3 } })
    .jpeg()
    .toBuffer();

/** The same film in bytes that nobody has uploaded before, so that it is made anew. */
export function unheard(film: Buffer): Buffer {
  const box = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('free'), randomBytes(16)]);
  return Buffer.concat([film, box]);
}

export interface Estate {
  readonly config: Config;
  readonly ctx: ApiContext;
  readonly caller: Caller;
  readonly worker: OwnProcess;
  /** Uploads bytes and starts their workflow. @param own of the job */
  submit(key: string, bytes: Uint8Array, own?: Partial<Job>, how?: { sha256?: string; bucket?: string }): Promise<Job>;
  /** A bucket that keeps versions. Returns its name. */
  versionedBucket(): Promise<string>;
  /** Rejects when the asset ends otherwise. */
  reaches(job: Pick<Job, 'assetId'>, what: string, is: (row: AssetRow) => boolean): Promise<AssetRow>;
  /** All versions of all objects there, delete markers too. */
  keys(bucket: string, prefix?: string): Promise<string[]>;
  close(): Promise<void>;
}

/** @param dir for scratch folders and profiles */
export async function openEstate(isolated: Config, dir: string): Promise<Estate> {
  const profiles = await mkdtemp(join(dir, 'profiles-'));
  await writeFile(join(profiles, `${SMALL}.yaml`), PROFILE);
  await writeFile(join(profiles, `${SMALLER}.yaml`), PROFILE.replace(/.*size: 180.*\n/, ''));
  const config = merge(isolated, {
    profiles: { dir: profiles },
    scratch: { dir: await mkdtemp(join(dir, 'scratch-')) },
    log: { level: 'warn' },
  });
  const worker = await startProcess('workers/all.js', merge(config, { log: { level: 'info' } }), 'worker ready');
  const logger = createLogger(config.log, { process: 'test' });
  const { ctx, close, onWake } = openContext(config, logger, 'test');
  const producer: EventProducer = await createProducer(config.kafka, logger);
  const relay: Relay = startRelay({ ...ctx, producer }, RELAY_HANDLERS);
  onWake(() => relay.wake());
  return {
    config,
    ctx,
    caller: { tenant: 'acme', scopes: ['admin'], limits: {} },
    worker,
    async submit(key, bytes, own, { sha256, bucket = config.storage.uploadsBucket } = {}) {
      const contentType = key.endsWith('.mp4') ? 'video/mp4' : 'image/jpeg';
      await ctx.store.putBytes(bucket, key, bytes, { contentType });
      const { etag, versionId, bytes: size } = await ctx.store.stat(bucket, key);
      const source = { bucket, key, etag, versionId, size, contentType, ...(sha256 && { sha256 }) };
      const job = jobOf(source, { tenant: 'acme', profile: SMALL, ...own });
      await startWorkflow(ctx.temporal, planStart(job, contentType, config.queues));
      return job;
    },
    async versionedBucket() {
      const { endpoint, accessKey, secretKey } = config.storage;
      const { hostname, port } = new URL(endpoint);
      const client = new Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
      const bucket = `versions-${randomUUID().slice(0, 8)}`;
      await client.makeBucket(bucket);
      await client.setBucketVersioning(bucket, { Status: 'Enabled' });
      return bucket;
    },
    async reaches({ assetId }, what, is) {
      let row: AssetRow | undefined;
      await until(
        what,
        async () => {
          row = await ctx.catalogue.find(assetId);
          return row !== undefined && is(row);
        },
        240_000,
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${JSON.stringify(row, null, 2)}\n${worker.log.slice(-15).join('\n')}`);
      });
      return row!;
    },
    async keys(of, prefix = '') {
      const keys: string[] = [];
      for await (const { key } of ctx.store.listVersions(of, prefix)) keys.push(key);
      return keys;
    },
    async close() {
      await relay.close();
      await producer.close();
      await close();
      worker.kill('SIGKILL');
      await worker.exited;
    },
  };
}

/** The invariant: what the store holds and what the catalogue says are the same. Everything in which they differ. */
export async function surveyed({ ctx }: Pick<Estate, 'ctx'>): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { signal } = new AbortController();
  for await (const finding of survey(ctx, { minAgeSeconds: 0, deep: true, signal })) findings.push(finding);
  return findings;
}
