/** Runs the real workflows on a real Temporal server with activities that a test scripts. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { Context } from '@temporalio/activity';
import { Client, Connection, type WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';

import type { Config } from '../../src/config/schema.js';
import type { ImageActivities, Inspection, MediaActivities, VideoActivities } from '../../src/contracts/activities.js';
import type { Job } from '../../src/contracts/assets.js';
import type { QueueNames } from '../../src/contracts/names.js';
import type { ChunkResult, EncodedRendition, VideoPlan } from '../../src/contracts/plan.js';
import type { Progress } from '../../src/contracts/progress.js';
import { planStart } from '../../src/starters/kafka/start-workflow.js';

export type AllActivities = VideoActivities & ImageActivities & MediaActivities;

export interface Bench {
  readonly client: Client;
  /** Starts a workflow and, on the same queue, a worker with the given activities; stops the worker when `use` ends. */
  run<T>(
    type: string,
    activities: Partial<AllActivities>,
    use: (handle: WorkflowHandle, job: Job) => Promise<T>,
  ): Promise<T>;
  close(): Promise<void>;
}

export async function openBench({ address, namespace }: Config['temporal']): Promise<Bench> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const native = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace, identity: 'test' });
  const bundle = await bundleWorkflows();
  return {
    client,
    run: async (type, activities, use) => {
      const queue = `test-${randomUUID()}`;
      const queues: QueueNames = { media: queue, video: queue, videoUrgent: queue, image: queue };
      const worker = await Worker.create({
        connection: native,
        namespace,
        identity: 'test',
        taskQueue: queue,
        workflowBundle: bundle,
        activities: { ...wellBehaved, ...activities },
        maxHeartbeatThrottleInterval: '100ms',
        defaultHeartbeatThrottleInterval: '100ms',
        shutdownForceTime: '2s',
      });
      const job = makeJob();
      return worker.runUntil(async () => {
        const { options } = planStart(job, undefined, queues);
        const handle = await client.workflow.start(type, options);
        try {
          return await use(handle, job);
        } finally {
          if (process.env['RECORD_HISTORIES']) await record(handle);
          await handle.terminate().catch(() => undefined);
        }
      });
    },
    close: async () => {
      await connection.close();
      await native.close();
    },
  };
}

/**
 * `RECORD_HISTORIES=1 npm test -- test/workflows` keeps what happened for the replay test. Record anew
 * with a new version in the name when workflows change in a way that running ones can't follow.
 */
async function record(handle: WorkflowHandle): Promise<void> {
  const name = (expect.getState().currentTestName ?? 'unnamed').replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 60);
  const history = await handle.fetchHistory();
  await mkdir(HISTORIES, { recursive: true });
  await writeFile(`${HISTORIES}/${RECORDED_VERSION}-${name}.json`, historyToJSON(history).replaceAll(ROOT, ''));
}

/** Stack traces name files: not those of one machine. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const HISTORIES = fileURLToPath(new URL('./histories', import.meta.url));
const RECORDED_VERSION = '0.1.0';

export function makeJob(): Job {
  const id = randomUUID();
  return {
    assetId: id.replaceAll('-', '').slice(0, 24),
    workflowId: `media/uploads/${id}`,
    generation: 1,
    source: { bucket: 'uploads', key: `${id}.mp4`, etag: 'e' },
    tenant: 'acme',
    profile: 'default',
    priority: 3,
    uploadedAt: new Date().toISOString(),
  };
}

const rung = (name: string, height: number): VideoPlan['rungs'][number] => ({
  name,
  width: (height * 16) / 9,
  height,
  codec: 'h264',
  crf: 22,
  maxrateKbps: 1000,
  bufsizeKbps: 2000,
  preset: 'veryfast',
  level: '3.1',
});

export const plan: VideoPlan = {
  v: 1,
  kind: 'video',
  facts: {
    container: 'mov',
    duration: 8,
    seekable: true,
    video: {
      streamIndex: 0,
      codec: 'h264',
      width: 1280,
      height: 720,
      rotation: 0,
      interlaced: false,
      frameRate: 25,
      duration: 8,
      pixelFormat: 'yuv420p',
    },
    audio: [{ streamIndex: 1, codec: 'aac', channels: 2, sampleRate: 48000, duration: 8, isDefault: true }],
  },
  grid: { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames: 200 },
  rungs: [rung('720p', 720), rung('360p', 360)],
  chunks: [{ index: 0, firstSegment: 0, segments: 2, posterFrame: 20 }],
  audio: [{ name: 'audio-0', streamIndex: 1, isDefault: true, channels: 2, bitrateKbps: 128, sampleRate: 48000 }],
};

export const encoded = (name: string): EncodedRendition => ({
  name,
  segments: 2,
  bytes: 1000,
  peakBitrate: 2000,
  units: 200,
  codecs: 'avc1.64001f',
});
export const chunkResult = (names: readonly string[], posterKey?: string): ChunkResult => ({
  index: 0,
  renditions: names.map(encoded),
  endedEarly: false,
  posterKey,
});
export const inspected: Inspection = { outcome: 'media', plan };

export function bundleWorkflows(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
}

/** Activities that succeed at once. */
const wellBehaved: AllActivities = {
  inspectMedia: async () => inspected,
  encodeChunk: async (_job, _plan, _chunk, rungs) =>
    chunkResult(
      rungs.map(({ name }) => name),
      'poster-source',
    ),
  encodeAudio: async (_job, _plan, track) => encoded(track.name),
  makePoster: async () => [{ name: 'poster.jpg', type: 'poster', key: 'k', mime: 'image/jpeg', bytes: 1 }],
  makeImage: async () => ({
    outcome: 'ready',
    reader: 'sharp',
    renditions: [{ name: 'thumb.jpg', type: 'thumbnail', key: 'k', mime: 'image/jpeg', bytes: 1 }],
  }),
  publishMedia: async ({ chunks, audio, missing }) => ({
    kind: 'video',
    state: missing.length > 0 ? 'partial' : 'ready',
    masterKey: 'master.m3u8',
    renditions: [...(chunks[0]?.renditions ?? []), ...audio].map(({ name }) => ({
      name,
      type: 'video',
      key: name,
      mime: 'x',
      bytes: 1,
    })),
  }),
  recordEnd: async () => undefined,
  discardOutputs: async () => undefined,
};

/** An encode that heartbeats until it is cancelled, then takes a moment to stop, as ffmpeg does. */
export async function untilCancelled(stopped?: () => void): Promise<never> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 50);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(timer);
    await new Promise((resolve) => setTimeout(resolve, 300));
    stopped?.();
  }
}

export async function untilPart(handle: WorkflowHandle, name: string, state: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { parts } = await handle.query<Progress>('progress');
    if (parts.some((part) => part.name === name && part.state === state)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} never became ${state}`);
}

export const failureOf = (error: unknown): ApplicationFailure =>
  (error as WorkflowFailedError).cause as ApplicationFailure;
export const damaged = (): ApplicationFailure =>
  ApplicationFailure.nonRetryable('The file is damaged and can not be decoded.', 'DAMAGED_FILE');
