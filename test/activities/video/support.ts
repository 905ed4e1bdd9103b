/** The activities of a video on real servers and tools, one after another, without a workflow. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { MockActivityEnvironment } from '@temporalio/testing';

import { createActivities, type Activities } from '../../../src/activities/index.js';
import type { ActivityContext } from '../../../src/activities/context.js';
import type { Config } from '../../../src/config/index.js';
import { outputPrefix, type AssetDocument, type Job } from '../../../src/contracts/assets.js';
import { assetIdOf, workflowIdOf } from '../../../src/contracts/ids.js';
import type { ChunkResult, VideoPlan } from '../../../src/contracts/plan.js';
import type { PublishRequest, PublishResult } from '../../../src/contracts/activities.js';
import { createLogger } from '../../../src/logging/index.js';
import { openContext } from '../../../src/workers/context.js';

const exec = promisify(execFile);

export async function run<A extends unknown[], R>(activity: (...args: A) => Promise<R>, ...args: A): Promise<R> {
  return new MockActivityEnvironment().run<A, R, typeof activity>(activity, ...args);
}

export interface Mill {
  readonly config: Config;
  readonly context: ActivityContext;
  readonly activities: Activities;
  readonly dir: string;
  upload(path: string, key?: string): Promise<Job>;
  /** @throws Error when the object is an image */
  inspect(job: Job): Promise<VideoPlan>;
  encode(job: Job, plan: VideoPlan): Promise<PublishRequest>;
  make(path: string): Promise<{ job: Job; plan: VideoPlan; request: PublishRequest; result: PublishResult }>;
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
    async upload(path, key = randomUUID()) {
      const { uploadsBucket } = own.storage;
      await context.store.putFile(uploadsBucket, key, path, { contentType: 'application/octet-stream' });
      const { etag, bytes } = await context.store.stat(uploadsBucket, key);
      const source = { bucket: uploadsBucket, key, etag, size: bytes };
      return {
        assetId: assetIdOf(source),
        workflowId: workflowIdOf(source),
        generation: 1,
        source,
        tenant: 'default',
        profile: 'default',
        priority: 3,
        uploadedAt: new Date().toISOString(),
      };
    },
    async inspect(job) {
      const inspection = await run(activities.video.inspectMedia, job);
      if (inspection.outcome !== 'media') throw new Error(`it is an ${inspection.outcome}`);
      return inspection.plan;
    },
    async encode(job, plan) {
      const chunks: ChunkResult[] = [];
      // Last chunk first: they must not depend on each other.
      for (const chunk of [...plan.chunks].reverse())
        chunks.push(await run(activities.video.encodeChunk, job, plan, chunk, plan.rungs));
      const audio = [];
      for (const track of plan.audio) audio.push(await run(activities.video.encodeAudio, job, plan, track));
      return { job, plan, startedAt: job.uploadedAt, chunks, audio, posters: [], missing: [] };
    },
    async make(path) {
      const job = await mill.upload(path);
      const plan = await mill.inspect(job);
      const request = await mill.encode(job, plan);
      return { job, plan, request, result: await run(activities.media.publishMedia, request) };
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

export async function ffmpeg(...args: string[]): Promise<void> {
  await exec('ffmpeg', ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...args]);
}

export interface Decoded {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly sampleAspect: string;
  readonly pixelFormat: string;
  readonly hasRotation: boolean;
  /** Seconds between frames: the smallest and the largest. */
  readonly steps: readonly [number, number];
}

/** Decodes every frame of a media playlist and looks at its time stamps. */
export async function decode(playlist: string): Promise<Decoded> {
  const entries = 'frame=best_effort_timestamp_time:stream=width,height,sample_aspect_ratio,pix_fmt:stream_side_data';
  const options = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', entries, '-of', 'json', playlist];
  const { stdout, stderr } = await exec('ffprobe', options, { maxBuffer: 64 * 1024 ** 2 });
  if (stderr !== '') throw new Error(stderr);
  const report = JSON.parse(stdout) as {
    frames?: { best_effort_timestamp_time: string }[];
    streams: {
      width: number;
      height: number;
      sample_aspect_ratio: string;
      pix_fmt: string;
      side_data_list?: unknown[];
    }[];
  };
  const [stream] = report.streams;
  const times = (report.frames ?? []).map((frame) => Number(frame.best_effort_timestamp_time));
  const steps = times.slice(1).map((time, i) => time - times[i]!);
  return {
    frames: times.length,
    width: stream!.width,
    height: stream!.height,
    sampleAspect: stream!.sample_aspect_ratio,
    pixelFormat: stream!.pix_fmt,
    hasRotation: stream!.side_data_list !== undefined,
    steps: [Math.min(...steps), Math.max(...steps)],
  };
}

/** Decoded samples of an audio playlist, per channel. */
export async function decodeSound(playlist: string): Promise<Int16Array> {
  const options = ['-v', 'error', '-i', playlist, '-ac', '1', '-f', 's16le', '-'];
  const { stdout } = await exec('ffmpeg', options, { encoding: 'buffer', maxBuffer: 256 * 1024 ** 2 });
  return new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length / 2);
}

/** Brightness of every frame of a playlist, as a grid of so many fields: tells frames and sides apart. */
export async function lumas(playlist: string, grid = '1:1'): Promise<number[]> {
  const filter = `scale=${grid}:flags=area,format=gray`;
  const options = ['-v', 'error', '-i', playlist, '-vf', filter, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'];
  const { stdout } = await exec('ffmpeg', options, { encoding: 'buffer', maxBuffer: 64 * 1024 ** 2 });
  return [...stdout];
}

/** A copy with some of its bytes turned over, evenly between two shares of its length. */
export async function damage(path: string, to: string, count: number, from = 0.3, until = 0.9): Promise<string> {
  const bytes = await readFile(path);
  for (let i = 0; i < count; i += 1) {
    const at = Math.floor(bytes.length * (from + ((until - from) * i) / count));
    bytes[at] = bytes[at]! ^ 0xff;
  }
  await writeFile(to, bytes);
  return to;
}
