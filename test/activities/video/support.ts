/** The activities of a video on real servers and tools, one after another, without a workflow. */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';

import { createActivities, type Activities } from '../../../src/activities/index.js';
import type { ActivityContext } from '../../../src/activities/context.js';
import type { Config } from '../../../src/config/index.js';
import { outputPrefix, type AssetDocument, type Job } from '../../../src/contracts/assets.js';
import { jobOf } from '../../support/job.js';
import type { Made, PublishRequest, PublishResult } from '../../../src/contracts/activities.js';
import { chunksOf, framesOfChunk, type ChunkResult, type VideoPlan } from '../../../src/contracts/plan.js';
import { createLogger } from '../../../src/logging/index.js';
import { openContext } from '../../../src/workers/context.js';

export async function run<A extends unknown[], R>(activity: (...args: A) => Promise<R>, ...args: A): Promise<R> {
  return new MockActivityEnvironment().run<A, R, typeof activity>(activity, ...args);
}

export interface Mill {
  readonly config: Config;
  readonly context: ActivityContext;
  readonly activities: Activities;
  readonly dir: string;
  upload(path: string, key?: string, profile?: string): Promise<Job>;
  /** @throws Error when the object is an image */
  inspect(job: Job): Promise<VideoPlan>;
  encode(job: Job, plan: VideoPlan): Promise<PublishRequest>;
  /** @throws Error when it is found faulty */
  publish(request: PublishRequest): Promise<PublishResult>;
  make(
    path: string,
    profile?: string,
  ): Promise<{ job: Job; plan: VideoPlan; request: PublishRequest; result: PublishResult }>;
  keys(job: Job): Promise<string[]>;
  document(job: Job): Promise<AssetDocument>;
  /** Everything of the asset as local files; returns the folder. */
  fetch(job: Job): Promise<string>;
  close(): Promise<void>;
}

/** @param scratch a folder of the caller's; without one it gets its own */
export async function openMill(config: Config, scratch?: string): Promise<Mill> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-video-'));
  const own: Config = {
    ...config,
    scratch: { ...config.scratch, dir: scratch ?? join(dir, 'scratch') },
    log: { ...config.log, level: 'error' },
  };
  const open = await openContext(own, createLogger(own.log), { tools: true });
  const { activities: context } = open;
  const activities = createActivities(context);
  const bucket = own.storage.mediaBucket;

  const mill: Mill = {
    config: own,
    context,
    activities,
    dir,
    async upload(path, key = randomUUID(), profile = 'default') {
      const { uploadsBucket } = own.storage;
      await context.store.putFile(uploadsBucket, key, path, { contentType: 'application/octet-stream' });
      const { etag, bytes } = await context.store.stat(uploadsBucket, key);
      const source = { bucket: uploadsBucket, key, etag, size: bytes };
      return jobOf(source, { profile });
    },
    async inspect(job) {
      const inspection = await run(activities.video.inspectMedia, job);
      if (inspection.outcome !== 'media') throw new Error(`it is an ${inspection.outcome}`);
      return inspection.plan;
    },
    async encode(job, plan) {
      const chunks: ChunkResult[] = [];
      const rungs = plan.rungs.filter(({ passthrough }) => !passthrough).map(({ name }) => name);
      // Last chunk first: they must not depend on each other.
      for (const chunk of rungs.length > 0 ? chunksOf(plan).reverse() : [])
        chunks.push(await run(activities.video.encodeChunk, { job, plan, chunk, rungs, stills: true }));
      for (const { name, passthrough } of plan.rungs)
        if (passthrough) chunks.push(await run(activities.video.copyRung, job, plan, name));
      const audio = [];
      for (const track of plan.audio) audio.push(await run(activities.video.encodeAudio, job, plan, track));
      const subtitles = await run(activities.video.makeSubtitles, job, plan);
      const made = { ...sum(plan, chunks), audio, subtitles, pictures: [], missing: [] };
      return { job, plan, startedAt: job.uploadedAt, made, lastTry: true };
    },
    async publish(request) {
      const outcome = await run(activities.publish.publishMedia, request);
      if (outcome.outcome !== 'published') throw new Error(JSON.stringify(outcome.findings));
      return outcome;
    },
    async make(path, profile) {
      const job = await mill.upload(path, undefined, profile);
      const plan = await mill.inspect(job);
      const request = await mill.encode(job, plan);
      return { job, plan, request, result: await mill.publish(request) };
    },
    async keys(job) {
      const prefix = outputPrefix(job.assetId, job.generation);
      const keys: string[] = [];
      for await (const { key } of context.store.list(bucket, prefix)) keys.push(key.slice(prefix.length));
      return keys.sort();
    },
    async document(job) {
      const bytes = await context.store.read(bucket, `${outputPrefix(job.assetId, job.generation)}asset.json`);
      return JSON.parse(bytes.toString()) as AssetDocument;
    },
    async fetch(job) {
      const folder = await mkdtemp(join(dir, 'fetched-'));
      for (const key of await mill.keys(job)) {
        await mkdir(dirname(join(folder, key)), { recursive: true });
        await context.store.download(bucket, outputPrefix(job.assetId, job.generation) + key, join(folder, key));
      }
      return folder;
    },
    async close() {
      await open.close();
      await context.scratch.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return mill;
}

/** As the workflow adds them up. Chunks come last first, and overlap with nothing but copied rungs. */
function sum(plan: VideoPlan, results: readonly ChunkResult[]): Pick<Made, 'frames' | 'damagedFrames' | 'quality'> {
  const chunks = chunksOf(plan);
  const encoded = results.slice(0, plan.rungs.some(({ passthrough }) => !passthrough) ? chunks.length : 0).reverse();
  const end = encoded.findIndex(({ endedEarly }) => endedEarly);
  const before = chunks.slice(0, end < 0 ? chunks.length : end);
  const full = plan.grid ? before.reduce((frames, chunk) => frames + framesOfChunk(plan.grid!, chunk), 0) : 0;
  const lowest = new Map<string, number>();
  for (const { name, ssim } of results.flatMap(({ quality }) => quality))
    lowest.set(name, Math.min(ssim, lowest.get(name) ?? 1));
  return {
    frames:
      encoded.length > 0 ? full + (encoded[end]?.frames ?? 0) : Math.max(0, ...results.map(({ frames }) => frames)),
    damagedFrames: results.reduce((damaged, one) => damaged + one.damagedFrames, 0),
    quality: [...lowest].map(([name, ssim]) => ({ name, ssim })),
  };
}
