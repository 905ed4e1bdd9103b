/** Steps of sound and subtitles, one at a time: plans without an inspection, streams of the store as samples, loudness. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { MockActivityEnvironment } from '@temporalio/testing';

import type { ActivityContext } from '../../../src/activities/context.js';
import type { Config } from '../../../src/config/index.js';
import type { Job } from '../../../src/contracts/assets.js';
import type { AudioTrack, SubtitleFacts, VideoPlan } from '../../../src/contracts/plan.js';
import { INIT_FILE } from '../../../src/media/video/layout.js';
import { createLogger } from '../../../src/logging/index.js';
import { openContext } from '../../../src/workers/context.js';
import { jobOf } from '../../support/job.js';

const exec = promisify(execFile);

export interface Mill {
  readonly config: Config;
  readonly context: ActivityContext;
  /** For the sources of a test. */
  readonly dir: string;
  upload(path: string): Promise<Job>;
  /** Names and sizes of all objects below a prefix. */
  list(prefix: string): Promise<Map<string, number>>;
  close(): Promise<void>;
}

export async function openMill(config: Config): Promise<Mill> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-sound-'));
  const own: Config = {
    ...config,
    scratch: { ...config.scratch, dir: join(dir, 'scratch') },
    log: { ...config.log, level: 'error' },
  };
  const { activities: context, close } = await openContext(own, createLogger(own.log), { tools: true });
  return {
    config: own,
    context,
    dir,
    async upload(path) {
      const [bucket, key] = [own.storage.uploadsBucket, randomUUID()];
      await context.store.putFile(bucket, key, path, { contentType: 'application/octet-stream' });
      const { etag, bytes } = await context.store.stat(bucket, key);
      return jobOf({ bucket, key, etag, size: bytes });
    },
    async list(prefix) {
      const objects = new Map<string, number>();
      for await (const { key, bytes } of context.store.list(own.storage.mediaBucket, prefix))
        objects.set(key.slice(prefix.length), bytes);
      return objects;
    },
    async close() {
      await close();
      await context.scratch.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export async function run<A extends unknown[], R>(activity: (...args: A) => Promise<R>, ...args: A): Promise<R> {
  return new MockActivityEnvironment().run<A, R, typeof activity>(activity, ...args);
}

export async function ffmpeg(...args: string[]): Promise<void> {
  await exec('ffmpeg', ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...args]);
}

export interface SourceSound {
  readonly container: string;
  /** Seconds of the picture; none for sound alone. */
  readonly picture?: number;
  /** Seconds of the sound. */
  readonly sound: number;
  /** Output channels of every track; the streams of the source in their order. */
  readonly channels?: readonly (1 | 2 | 6)[];
  readonly sampleRate?: number;
  readonly loudness?: VideoPlan['loudness'];
  readonly subtitles?: readonly { streamIndex: number; codec: string }[];
}

/** A plan of the sound (after the picture, stream 0, where there is one) and the subtitles of a source. */
export function soundPlan(source: SourceSound): VideoPlan {
  const { container, picture, sound, channels = [2], sampleRate = 48_000, subtitles = [] } = source;
  const first = picture === undefined ? 0 : 1;
  const tracks = channels.map((count, i): AudioTrack => ({
    name: `audio-${i}`,
    streamIndex: first + i,
    isDefault: i === 0,
    channels: count,
    bitrateKbps: 64 * count,
    sampleRate,
  }));
  const texts = subtitles.map((track): SubtitleFacts => ({ ...track, isDefault: false, isForced: false }));
  return {
    v: 2,
    kind: picture === undefined ? 'audio' : 'video',
    facts: {
      container,
      duration: Math.max(picture ?? 0, sound),
      seekable: ['mov', 'matroska'].includes(container),
      audio: tracks.map(({ streamIndex, channels }) => ({
        streamIndex,
        codec: 'any',
        channels,
        sampleRate,
        duration: sound,
        isDefault: false,
      })),
      subtitles: texts,
    },
    grid:
      picture === undefined
        ? undefined
        : { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames: Math.round(picture * 25) },
    rungs: [],
    chunkSegments: 8,
    audio: tracks,
    subtitles: texts.map(({ streamIndex }, i) => ({
      name: `subs-${i}`,
      streamIndex,
      isDefault: false,
      isForced: false,
    })),
    stills: { posterFrames: [] },
    loudness: source.loudness,
    minSsim: 0,
  };
}

export interface Stored {
  readonly init: Buffer;
  readonly segments: readonly Buffer[];
}

/** What the store holds of a track below a prefix, in order. */
export async function stored(mill: Mill, prefix: string): Promise<Stored> {
  const { context, config } = mill;
  const read = (name: string): Promise<Buffer> => context.store.read(config.storage.mediaBucket, prefix + name);
  const names = [...(await mill.list(prefix)).keys()].filter((name) => name !== INIT_FILE).sort();
  return { init: await read(INIT_FILE), segments: await Promise.all(names.map(read)) };
}

/** Decodes an init segment and media segments. @returns samples (-1 to 1) of each channel */
export async function decodeStream(dir: string, { init, segments }: Stored, channels = 2): Promise<Float32Array[]> {
  const file = join(dir, `joined-${Math.random()}.mp4`);
  await writeFile(file, Buffer.concat([init, ...segments]));
  return decodeFile(file, channels);
}

/** @throws Error when the decoder complains */
export async function decodeFile(file: string, channels = 2, rate = 48_000): Promise<Float32Array[]> {
  const options = ['-v', 'error', '-i', file, '-map', '0:a:0', '-ar', String(rate), '-f', 'f32le', '-'];
  const { stdout, stderr } = await exec('ffmpeg', options, { encoding: 'buffer', maxBuffer: 512 * 1024 ** 2 });
  if (stderr.length > 0) throw new Error(stderr.toString());
  const all = new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
  return Array.from({ length: channels }, (_, channel) => all.filter((_value, i) => i % channels === channel));
}

/** Of a finished stream, by the same meter that broadcasters use. */
export async function loudnessOf(
  dir: string,
  { init, segments }: Stored,
): Promise<{ integrated: number; truePeak: number }> {
  const file = join(dir, `loud-${Math.random()}.mp4`);
  await writeFile(file, Buffer.concat([init, ...segments]));
  const options = ['-nostats', '-i', file, '-filter_complex', 'ebur128=peak=true:framelog=verbose', '-f', 'null', '-'];
  const { stderr } = await exec('ffmpeg', options);
  const value = (name: string): number => Number(stderr.split(`${name}:`).at(-1)!.trim().split(' ')[0]);
  return { integrated: Number(/I: +(\S+) LUFS/.exec(stderr.split('Summary:').at(-1)!)?.[1]), truePeak: value('Peak') };
}

/** First sample louder than a threshold. */
export const onset = (samples: Float32Array, threshold = 0.03, from = 0): number =>
  samples.findIndex((value, i) => i >= from && Math.abs(value) > threshold);
