/** A plan and a job as inspection would have written them, for tests of what is served from them. */
import { randomBytes } from 'node:crypto';
import { outputPrefix, type Job } from '../../src/contracts/assets.js';
import type { AudioTrack, SubtitleTrack, VideoPlan, VideoRung } from '../../src/contracts/plan.js';
import { planKey } from '../../src/media/video/layout.js';
import type { ObjectStore } from '../../src/storage/object-store.js';

export const rung = (height: number, own: Partial<VideoRung> = {}): VideoRung => ({
  name: `${height}p`,
  width: Math.round((height * 16) / 18) * 2,
  height,
  codec: 'h264',
  crf: 23,
  maxrateKbps: height * 4,
  bufsizeKbps: height * 8,
  preset: 'veryfast',
  level: '3.1',
  codecs: 'avc1.64001f',
  ...own,
});

export const track = (name: string, own: Partial<AudioTrack> = {}): AudioTrack => ({
  name,
  streamIndex: 1,
  isDefault: true,
  channels: 2,
  bitrateKbps: 128,
  sampleRate: 48_000,
  ...own,
});

export const subtitles = (name: string, own: Partial<SubtitleTrack> = {}): SubtitleTrack => ({
  name,
  streamIndex: 3,
  isDefault: false,
  isForced: false,
  ...own,
});

/** 16:9, 25 frames a second. */
export function planOf(seconds: number, own: Partial<VideoPlan> = {}): VideoPlan {
  const audio = own.audio ?? [track('audio-0-eng', { language: 'eng' })];
  return {
    v: 2,
    kind: 'video',
    facts: {
      container: 'mov',
      duration: seconds,
      seekable: true,
      video: {
        streamIndex: 0,
        codec: 'h264',
        width: 1280,
        height: 720,
        rotation: 0,
        interlaced: false,
        frameRate: 25,
        duration: seconds,
        pixelFormat: 'yuv420p',
      },
      audio: audio.map(({ streamIndex }) => ({
        streamIndex,
        codec: 'aac',
        channels: 2,
        sampleRate: 48_000,
        duration: seconds,
        isDefault: false,
      })),
      subtitles: [],
    },
    grid: { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames: Math.round(seconds * 25) },
    rungs: [rung(720), rung(360)],
    chunkSegments: 3,
    audio,
    subtitles: [],
    stills: { posterFrames: [] },
    minSsim: 0,
    ...own,
  };
}

export function jobOf(own: Partial<Job> = {}): Job {
  const assetId = randomBytes(12).toString('hex');
  return {
    assetId,
    workflowId: `media/test/${assetId}`,
    generation: 1,
    source: { bucket: 'uploads', key: `${assetId}.mp4`, etag: assetId },
    tenant: 'default',
    profile: 'default',
    priority: 3,
    uploadedAt: new Date().toISOString(),
    ...own,
  };
}

export const putPlan = (store: ObjectStore, bucket: string, job: Job, plan: VideoPlan): Promise<void> =>
  store.putBytes(bucket, planKey(job), Buffer.from(JSON.stringify({ job, plan })), { contentType: 'application/json' });

/** @param path below the generation's prefix */
export const putPart = (store: ObjectStore, bucket: string, job: Job, path: string, bytes = Buffer.from(path)) =>
  store.putBytes(bucket, outputPrefix(job.assetId, job.generation) + path, bytes, {
    contentType: 'application/octet-stream',
  });
