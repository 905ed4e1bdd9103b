/** The outputs of a small video as files, to be put into a store and broken there. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Made } from '../../../src/contracts/activities.js';
import { outputPrefix, type Job } from '../../../src/contracts/assets.js';
import type { VideoPlan, VideoRung } from '../../../src/contracts/plan.js';
import { audioSamples } from '../../../src/media/video/audio-args.js';
import { videoCodecArgs } from '../../../src/media/video/codec-args.js';
import { CLEAN_OUTPUT, hlsOptions } from '../../../src/media/video/encode-args.js';
import { segmentOf } from '../../../src/media/video/layout.js';
import { alignFragment, readInit } from '../../../src/media/video/mp4.js';
import { plan as planOf, rung, subtitle, track } from '../../media/video/presentation-fixture.js';
import { jobOf as jobOfSource } from '../../support/job.js';

const exec = promisify(execFile);

export interface Outputs {
  readonly plan: VideoPlan;
  readonly made: (job: Job) => Made;
  /** By name below the generation's prefix. */
  readonly files: ReadonlyMap<string, Buffer>;
}

const grid = { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames: 250 };
const small = (own: Partial<VideoRung>): VideoRung =>
  rung({
    preset: 'ultrafast',
    crf: 30,
    maxrateKbps: 400,
    bufsizeKbps: 800,
    level: '1.3',
    codecs: 'avc1.64000d',
    ...own,
  });

/** 10 s in two rungs, one track, one subtitle track, a poster and a storyboard. */
export async function makeOutputs(): Promise<Outputs> {
  const plan = planOf({
    grid,
    rungs: [small({ name: '180p', width: 320, height: 180 }), small({ name: '90p', width: 160, height: 90, crf: 24 })],
    audio: [track({ bitrateKbps: 64 })],
    subtitles: [subtitle({})],
    stills: {
      posterFrames: [40],
      storyboard: { intervalFrames: 25, tiles: 10, tileWidth: 32, tileHeight: 18, columns: 5, rows: 2, format: 'jpeg' },
    },
    minSsim: 0.8,
  });
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-published-'));
  try {
    const files = new Map<string, Buffer>();
    const [sound] = plan.audio;
    const samples = audioSamples(plan, sound!);
    for (const { name } of [...plan.rungs, sound!]) await mkdir(join(dir, name));
    const options = ['-nostdin', '-hide_banner', '-loglevel', 'error'];
    const inputs = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=10', '-f', 'lavfi', '-i', 'sine=r=48000:d=11'];
    const video = plan.rungs.flatMap((one) => [
      ...['-map', '0:v', '-vf', `scale=${one.width}:${one.height}`],
      ...[...videoCodecArgs(one, grid), ...CLEAN_OUTPUT, ...hlsOptions(one.name, 4, 0), `${one.name}/index.m3u8`],
    ]);
    const audio = [
      ...['-map', '1:a', '-af', `atrim=start_sample=1024:end_sample=${samples}`, '-ac', '2', '-c:a', 'aac', '-b:a', '64k'],
      ...[...CLEAN_OUTPUT, ...hlsOptions(sound!.name, 4, 0), `${sound!.name}/index.m3u8`],
    ]; // prettier-ignore
    await exec('ffmpeg', [...options, ...inputs, ...video, ...audio], { cwd: dir });
    for (const { name } of [...plan.rungs, sound!]) {
      const folder = `${name === sound!.name ? 'audio' : 'video'}/${name}/`;
      const { timescale } = readInit(await readFile(join(dir, name, 'init.mp4')));
      for (const file of await readdir(join(dir, name))) {
        const bytes = await readFile(join(dir, name, file));
        const segment = segmentOf(file);
        if (file === 'init.mp4') files.set(folder + file, bytes);
        // Sound is on its clock already; the picture is moved as the encoder's shipper does it.
        else if (segment !== undefined) {
          const isSound = folder.startsWith('audio');
          files.set(folder + file, isSound ? bytes : alignFragment(bytes, segment * 4 * timescale, segment + 1));
        }
      }
    }
    const texts = {
      'subs/subs-0-eng/subs.vtt': 'WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n',
      'subs/subs-0-eng/seg-00000.vtt':
        'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n00:01.000 --> 00:02.000\nHello\n',
      'storyboard/storyboard.vtt': 'WEBVTT\n',
      'storyboard/sheet-000.jpg': 'a sheet',
      'poster.jpg': 'a poster',
      'plan.json': '{}',
      'work/poster/00000040.jpg': 'a frame',
      'video/180p/seg-00009.m4s': 'behind the end',
      'video/144p/seg-00000.m4s': 'of a rung that nobody planned',
    };
    for (const [name, text] of Object.entries(texts)) files.set(name, Buffer.from(text));
    return { plan, files, made: (job) => madeOf(job, samples) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function madeOf(job: Job, samples: number): Made {
  const prefix = outputPrefix(job.assetId, job.generation);
  return {
    frames: grid.totalFrames,
    damagedFrames: 0,
    quality: [{ name: '180p', ssim: 0.95 }, { name: '90p', ssim: 0.9 }],
    audio: [{ name: 'audio-0-eng', samples, gain: 0 }],
    subtitles: ['subs-0-eng'],
    pictures: [
      { name: 'poster.jpg', type: 'poster', key: `${prefix}poster.jpg`, mime: 'image/jpeg', width: 320, height: 180, bytes: 8 },
      { name: 'storyboard', type: 'storyboard', key: `${prefix}storyboard/storyboard.vtt`, mime: 'text/vtt', bytes: 14 },
    ],
    missing: [],
  }; // prettier-ignore
}

export const jobOf = (key: string): Job =>
  jobOfSource(
    { bucket: 'uploads', key, etag: 'e'.repeat(32) },
    { tenant: 'acme', uploadedAt: '2026-01-01T00:00:00.000Z' },
  );
