/** Chunks encoded by the real engine into a real store, from plans made by hand. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';

import type { ActivityContext } from '../../../src/activities/context.js';
import { activity } from '../../../src/activities/scope.js';
import { createEncodeChunk } from '../../../src/activities/video/encode-chunk.js';
import { measureQuality } from '../../../src/activities/video/quality.js';
import type { ChunkRequest } from '../../../src/contracts/activities.js';
import { outputPrefix, type Job } from '../../../src/contracts/assets.js';
import { jobOf } from '../../support/job.js';
import {
  chunksOf,
  type Chunk,
  type ChunkResult,
  type RungQuality,
  type VideoPlan,
} from '../../../src/contracts/plan.js';
import { ffmpeg } from './decoding.js';

export const rung = (name: string, width: number, height: number) => ({
  name,
  width,
  height,
  codec: 'h264' as const,
  crf: 23,
  maxrateKbps: 2000,
  bufsizeKbps: 4000,
  preset: 'veryfast',
  level: '3.0',
  codecs: 'avc1.64001e',
});

/** 320x180 in two sizes, 25 frames a second. */
export function planOf(
  frames: number,
  own: Partial<VideoPlan> = {},
): VideoPlan & { grid: NonNullable<VideoPlan['grid']> } {
  return {
    v: 2,
    kind: 'video',
    facts: {
      container: 'mov',
      duration: frames / 25,
      seekable: true,
      video: {
        streamIndex: 0,
        codec: 'h264',
        width: 320,
        height: 180,
        rotation: 0,
        interlaced: false,
        frameRate: 25,
        duration: frames / 25,
        pixelFormat: 'yuv420p',
      },
      audio: [],
      subtitles: [],
    },
    rungs: [rung('180p', 320, 180), rung('90p', 160, 90)],
    chunkSegments: 2,
    audio: [],
    subtitles: [],
    stills: { posterFrames: [] },
    minSsim: 0.5,
    ...own,
    grid: { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames: frames, ...own.grid },
  };
}

/** One attempt of an activity, on a queue of the caller's choice. */
export interface Attempt {
  readonly attempt?: number;
  readonly taskQueue?: string;
}

export class Engine {
  constructor(readonly context: ActivityContext) {}

  get bucket(): string {
    return this.context.config.storage.mediaBucket;
  }

  async upload(path: string): Promise<Job> {
    const { store, config } = this.context;
    const bucket = config.storage.uploadsBucket;
    const key = randomUUID();
    await store.putFile(bucket, key, path, { contentType: 'video/mp4' });
    const { etag, bytes } = await store.stat(bucket, key);
    const source = { bucket, key, etag, size: bytes };
    return jobOf(source);
  }

  encode(job: Job, plan: VideoPlan, own: Partial<ChunkRequest> = {}, attempt: Attempt = {}): Promise<ChunkResult> {
    const chunk = chunksOf({ ...plan, chunkSegments: 0 })[0]!;
    const request = { job, plan, chunk, rungs: plan.rungs.map(({ name }) => name), stills: true, ...own };
    return this.environment(attempt).run(createEncodeChunk(this.context), request);
  }

  environment(attempt: Attempt = {}): MockActivityEnvironment {
    return new MockActivityEnvironment({ taskQueue: this.context.config.queues.video, ...attempt });
  }

  measure(job: Job, plan: VideoPlan, chunk: Chunk): Promise<RungQuality[]> {
    const names = plan.rungs.map(({ name }) => name);
    const step = activity(this.context.logger, (scope) => measureQuality(this.context, scope, job, plan, chunk, names));
    return this.environment().run(step);
  }

  async keys(job: Job): Promise<string[]> {
    const prefix = outputPrefix(job.assetId, job.generation);
    const keys: string[] = [];
    for await (const { key } of this.context.store.list(this.bucket, prefix)) keys.push(key.slice(prefix.length));
    return keys.sort();
  }

  read(job: Job, key: string): Promise<Buffer> {
    return this.context.store.read(this.bucket, outputPrefix(job.assetId, job.generation) + key);
  }

  async put(job: Job, key: string, bytes: Uint8Array): Promise<void> {
    const path = outputPrefix(job.assetId, job.generation) + key;
    await this.context.store.putBytes(this.bucket, path, bytes, { contentType: 'video/mp4' });
  }

  async remove(job: Job, keys: readonly string[]): Promise<void> {
    const prefix = outputPrefix(job.assetId, job.generation);
    await this.context.store.remove(this.bucket, keys.map((key) => prefix + key)); // prettier-ignore
  }

  /** The segments of a rung in one file, as a player would string them together. */
  async joined(job: Job, name: string): Promise<Buffer> {
    const keys = (await this.keys(job)).filter((key) => key.startsWith(`video/${name}/`));
    return Buffer.concat(await Promise.all(keys.map((key) => this.read(job, key))));
  }
}

export const PATTERN = (size: string, rate: string, seconds: number): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
];
export const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

export async function film(dir: string, name: string, ...args: string[]): Promise<string> {
  const path = join(dir, name);
  await ffmpeg(...args, path);
  return path;
}
