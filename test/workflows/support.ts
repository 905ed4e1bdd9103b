/** Runs the real workflows on a real Temporal server with activities that a test scripts. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { Context } from '@temporalio/activity';
import {
  Client,
  Connection,
  defaultPayloadConverter,
  type WorkflowFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';

import type { Config } from '../../src/config/schema.js';
import type {
  ChunkRequest,
  ImageActivities,
  Inspection,
  MediaActivities,
  PublishActivities,
  PublishOutcome,
  PublishRequest,
  VideoActivities,
} from '../../src/contracts/activities.js';
import type { Job } from '../../src/contracts/assets.js';
import type { HousekeepingActivities, LifecycleActivities } from '../../src/contracts/lifecycle.js';
import { WORKFLOW_TYPES, type QueueNames } from '../../src/contracts/names.js';
import { framesOfChunk, type ChunkResult, type EncodedAudio, type VideoPlan } from '../../src/contracts/plan.js';
import type { Progress } from '../../src/contracts/progress.js';
import { planStart } from '../../src/client/start.js';
import { workflowSpans } from '../../src/telemetry/index.js';
import { whileRunning } from '../support/while-running.js';

export type AllActivities = VideoActivities & ImageActivities & MediaActivities & PublishActivities;
export type Scripted = Partial<AllActivities & LifecycleActivities & HousekeepingActivities>;

export interface Bench {
  readonly client: Client;
  /** Starts a workflow and, on the same queue, a worker with the given activities; stops the worker when `use` ends. */
  run<T>(
    type: string,
    activities: Scripted,
    use: (handle: WorkflowHandle, job: Job) => Promise<T>,
    args?: (queues: QueueNames) => unknown[],
  ): Promise<T>;
  close(): Promise<void>;
}

export async function openBench({ address, namespace }: Config['temporal']): Promise<Bench> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const native = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace, identity: 'test' });
  return {
    client,
    run: async (type, activities, use, args) => {
      const queue = `test-${randomUUID()}`;
      const queues: QueueNames = {
        media: queue,
        video: queue,
        videoUrgent: `${queue}-urgent`,
        image: queue,
        publish: queue,
      };
      const options: WorkerOptions = {
        connection: native,
        namespace,
        identity: 'test',
        taskQueue: queue,
        activities: { ...wellBehaved, ...activities },
        maxHeartbeatThrottleInterval: '100ms',
        defaultHeartbeatThrottleInterval: '100ms',
        shutdownForceTime: '2s',
      };
      const worker = await Worker.create({ ...options, ...bundled });
      const urgent = await Worker.create({ ...options, taskQueue: queues.videoUrgent });
      const job = makeJob();
      const play = async () => {
        const { options: start } = planStart(
          job,
          undefined,
          queues,
          type === WORKFLOW_TYPES.image ? 'image' : undefined,
        );
        const handle = await client.workflow.start(type, { ...start, ...(args && { args: args(queues) }) });
        try {
          return await use(handle, job);
        } finally {
          if (process.env['RECORD_HISTORIES']) await record(handle);
          await handle.terminate().catch(() => undefined);
        }
      };
      return whileRunning(worker, () => whileRunning(urgent, play));
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
export async function record(handle: WorkflowHandle): Promise<void> {
  const name = (expect.getState().currentTestName ?? 'unnamed').replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 60);
  const history = await handle.fetchHistory();
  await mkdir(HISTORIES, { recursive: true });
  await writeFile(`${HISTORIES}/${RECORDED_VERSION}-${name}.json`, historyToJSON(history).replaceAll(ROOT, ''));
}

/** Stack traces name files: not those of one machine. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const HISTORIES = fileURLToPath(new URL('./histories', import.meta.url));
const RECORDED_VERSION = '0.1.0';

/** What workers run, built before the tests are. */
export const workflowBundle = {
  codePath: fileURLToPath(new URL('../../dist/workflow-bundle/bundle.js', import.meta.url)),
};
/** For a worker: the bundle, and where the tracing in it leads. */
export const bundled = { workflowBundle, sinks: workflowSpans };

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
  codecs: 'avc1.64001f',
});

/** 8 s: two segments, two chunks of one. */
export const plan: VideoPlan = {
  v: 2,
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
    subtitles: [],
  },
  grid: { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames: 200 },
  rungs: [rung('720p', 720), rung('360p', 360)],
  chunkSegments: 4,
  audio: [{ name: 'audio-0', streamIndex: 1, isDefault: true, channels: 2, bitrateKbps: 128, sampleRate: 48000 }],
  subtitles: [],
  stills: { posterFrames: [20] },
  minSsim: 0,
};

/** A video of so many 4 s segments. */
export function longPlan(segments: number, more: Partial<VideoPlan> = {}): VideoPlan {
  const duration = segments * 4;
  return {
    ...plan,
    facts: { ...plan.facts, duration },
    grid: { ...plan.grid!, totalFrames: segments * 100 },
    ...more,
  };
}

export const encoded = (name: string): EncodedAudio => ({ name, samples: 384_000, gain: 0 });

/** All frames of the chunk, whole. */
export const chunkResult = ({ plan: { grid }, chunk }: ChunkRequest, more: Partial<ChunkResult> = {}): ChunkResult => ({
  frames: framesOfChunk(grid!, chunk),
  endedEarly: false,
  damagedFrames: 0,
  quality: [],
  ...more,
});
/** `0+1 720p 360p`: first segment, segments, rungs. */
export const described = ({ chunk, rungs }: ChunkRequest): string =>
  `${chunk.firstSegment}+${chunk.segments} ${rungs.join(' ')}`;
export const inspected: Inspection = { outcome: 'media', plan };

export const published = ({ plan: { rungs, audio, kind }, made }: PublishRequest): PublishOutcome => ({
  outcome: 'published',
  kind,
  state: made.missing.length > 0 ? 'partial' : 'ready',
  renditions: [...rungs, ...audio]
    .map(({ name }) => name)
    .filter((name) => !made.missing.some((part) => part.name === name)),
  missing: made.missing,
});

/** Activities that succeed at once. */
export const wellBehaved: AllActivities = {
  inspectMedia: async () => inspected,
  hashSource: async () => undefined,
  encodeChunk: async (request) => chunkResult(request),
  copyRung: async (_job, { grid }) => ({
    frames: grid?.totalFrames ?? 0,
    endedEarly: false,
    damagedFrames: 0,
    quality: [],
  }),
  encodeAudio: async (_job, _plan, track) => encoded(track.name),
  previewAudio: async () => undefined,
  makeSubtitles: async (_job, { subtitles }) => subtitles.map(({ name }) => name),
  makePoster: async () => [{ name: 'poster.jpg', type: 'poster', key: 'k', mime: 'image/jpeg', bytes: 1 }],
  makeStoryboard: async () => [{ name: 'storyboard', type: 'storyboard', key: 'k', mime: 'text/vtt', bytes: 1 }],
  makeImage: async () => ({
    outcome: 'ready',
    reader: 'sharp',
    renditions: [{ name: 'thumb.jpg', type: 'thumbnail', key: 'k', mime: 'image/jpeg', bytes: 1 }],
  }),
  makeLoop: async (_job, { name, width, height }) => ({
    ...{ name, type: 'loop', key: 'k', mime: 'video/mp4', width, height, bytes: 1, duration: 1 },
  }),
  publishImage: async (_job, _startedAt, { renditions, reader }, missing) => ({
    ...{ outcome: 'ready', renditions, reader },
    ...(missing.length > 0 && { missing }),
  }),
  awaitTwin: async () => ({ outcome: 'mine' }),
  announcePlayable: async () => undefined,
  announceDeadline: async () => undefined,
  publishMedia: async (request) => published(request),
  deliver: async ({ target }) => ({ target, at: new Date().toISOString(), waitedSeconds: 0 }),
  loadPlan: async () => {
    throw damaged();
  },
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

/** @param is asked of the query `progress` again and again */
export async function untilProgress(
  handle: WorkflowHandle,
  what: string,
  is: (now: Progress) => boolean,
): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (is(await handle.query<Progress>('progress'))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never: ${what}`);
}

export async function untilPart(handle: WorkflowHandle, name: string, state: string): Promise<void> {
  await untilProgress(handle, `${name} is ${state}`, ({ parts }) =>
    parts.some((part) => part.name === name && part.state === state),
  );
}

/** The lines that the Web UI shows for the steps, in the order in which they were scheduled. */
export async function summaries(handle: WorkflowHandle): Promise<unknown[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ userMetadata, activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled ? [userMetadata?.summary && defaultPayloadConverter.fromPayload(userMetadata.summary)] : [],
  );
}

export const failureOf = (error: unknown): ApplicationFailure =>
  (error as WorkflowFailedError).cause as ApplicationFailure;
export const damaged = (): ApplicationFailure =>
  ApplicationFailure.nonRetryable('The file is damaged and can not be decoded.', 'DAMAGED_FILE');
