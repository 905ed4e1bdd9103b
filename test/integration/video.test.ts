/** From an uploaded file to a published asset: the activities of a video on real servers, with real tools in their sandbox. */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';

import type { ChunkRequest } from '../../src/contracts/activities.js';
import type { Job } from '../../src/contracts/assets.js';
import { chunksOf, type VideoPlan } from '../../src/contracts/plan.js';
import { streamPrefix } from '../../src/media/video/layout.js';
import { readFragment } from '../../src/media/video/mp4.js';
import { freeBytes } from '../../src/storage/space.js';
import { damage, decode, decodeSound, ffmpeg, lumas } from '../activities/video/decoding.js';
import { openMill, run, type Mill } from '../activities/video/support.js';
import { useStack } from '../support/stack.js';

const LONG = 120_000;
const stack = useStack();
let mill: Mill;
let sample: string;
let profiles: string;

const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const pattern = (size: string, rate: string, seconds: number) => [
  '-f',
  'lavfi',
  '-i',
  `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`,
];
const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=sample_rate=48000:duration=${seconds}`];
const made = (name: string): string => join(mill.dir, name);

beforeAll(async () => {
  const config = await stack.isolated({ database: true });
  profiles = await mkdtemp(join(tmpdir(), 'mediamill-profiles-'));
  const own = (chunkSegments: number): string =>
    `extends: default\ndescription: For tests.\nchunkSegments: ${chunkSegments}\n`;
  await writeFile(join(profiles, 'whole.yaml'), own(0));
  await writeFile(join(profiles, 'chunked.yaml'), own(1));
  mill = await openMill({ ...config, profiles: { dir: profiles } });
  sample = made('sample.mp4');
  // B frames, one key frame in 10 s: chunks must start in the middle of the source's GOP.
  await ffmpeg(
    ...pattern('320x180', '30000/1001', 9),
    ...tone(9),
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-g',
    '300',
    '-c:a',
    'aac',
    sample,
  );
}, LONG);

afterAll(async () => {
  await mill.close();
  await rm(profiles, { recursive: true });
});

describe('a video with sound', () => {
  test(
    'becomes a playable asset, the same in one chunk and in three',
    async () => {
      const whole = await mill.make(sample, 'whole');
      const parts = await mill.make(await copied(sample, 'again.mp4'), 'chunked');
      expect([chunksOf(whole.plan).length, chunksOf(parts.plan).length]).toEqual([1, 3]);

      for (const { job, result } of [whole, parts]) {
        expect(result).toMatchObject({
          state: 'ready',
          kind: 'video',
          renditions: ['180p', 'audio-0'],
        });
        const files = ['init.mp4', 'seg-00000.m4s', 'seg-00001.m4s', 'seg-00002.m4s'];
        const media = (await mill.keys(job)).filter((key) => /\.(mp4|m4s)$/.test(key));
        expect(media).toEqual(
          ['audio/audio-0/', 'video/180p/'].flatMap((folder) => files.map((name) => folder + name)),
        );
        expect(await mill.document(job)).toMatchObject({ id: job.assetId, kind: 'video', state: 'ready', renditions: [{ width: 320, height: 180, codecs: 'avc1.64000d' }, { codecs: 'mp4a.40.2' }] }); // prettier-ignore
        expect(await mill.context.catalogue.find(job.assetId)).toMatchObject({
          state: 'ready',
          generation: 1,
          kind: 'video',
        });
      }
      const [one, three] = [await mill.fetch(whole.job), await mill.fetch(parts.job)];
      const [frames, chunkFrames] = [
        await decode(join(one, 'video/180p/index.m3u8')),
        await decode(join(three, 'video/180p/index.m3u8')),
      ];
      expect(chunkFrames).toEqual(frames);
      expect(frames).toMatchObject({ frames: 270, width: 320, height: 180, sampleAspect: '1:1' });
      for (const step of frames.steps) expect(step).toBeCloseTo(1001 / 30_000, 4);
      expect(await readFile(join(three, 'video/180p/init.mp4'))).toEqual(
        await readFile(join(one, 'video/180p/init.mp4')),
      );
      expect(await readFile(join(three, 'video/180p/index.m3u8'), 'utf8')).toEqual(
        await readFile(join(one, 'video/180p/index.m3u8'), 'utf8'),
      );
      const { streams } = await all(join(one, 'master.m3u8'));
      expect(streams.map(({ codec_type }) => codec_type).sort()).toEqual(['audio', 'video']);
    },
    LONG,
  );

  test(
    'every frame of every chunk is the right one',
    async () => {
      // Frame n has the brightness 20 + n: a frame lost, doubled or shifted at a seam shows.
      const source = made('numbered.mp4');
      const bright = ['-f', 'lavfi', '-i', "color=size=64x64:rate=25:duration=8.4,format=gray,geq=lum='20+N'"];
      await ffmpeg(...bright, ...X264, '-preset', 'medium', '-crf', '8', '-g', '250', '-bf', '3', source);
      const { job } = await mill.make(source, 'chunked');
      const folder = await mill.fetch(job);
      const seen = await lumas(join(folder, 'video/64p/index.m3u8'));
      expect(seen).toHaveLength(210);
      seen.forEach((luma, frame) => expect(Math.abs(luma - (20 + frame) * 1)).toBeLessThanOrEqual(3));
    },
    LONG,
  );

  test(
    'sound and picture share their time 0',
    async () => {
      // Silence for 1 s, then a tone, in picture and sound at once.
      const source = made('sync.mp4');
      await ffmpeg(
      ...['-f', 'lavfi', '-i', 'color=black:size=64x64:rate=25:duration=1', '-f', 'lavfi', '-i', 'color=white:size=64x64:rate=25:duration=2'],
      ...['-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=2'],
      ...['-filter_complex', '[0][1]concat=n=2[v];[2]adelay=1000[a]', '-map', '[v]', '-map', '[a]', ...X264, '-c:a', 'flac', '-f', 'matroska', source],
    ); // prettier-ignore
      const { job } = await mill.make(source);
      const folder = await mill.fetch(job);
      const white = (await lumas(join(folder, 'video/64p/index.m3u8'))).findIndex((luma) => luma > 128);
      const loud = (await decodeSound(join(folder, 'audio/audio-0/index.m3u8'))).findIndex(
        (value) => Math.abs(value) > 1000,
      );
      expect(white).toBe(25);
      expect(loud / 48_000).toBeGreaterThan(0.995);
      expect(loud / 48_000).toBeLessThan(1.01);
      // By the boxes, not by a player's grace: both start at 0.
      for (const stream of ['video/64p', 'audio/audio-0'])
        expect(readFragment(await readFile(join(folder, stream, 'seg-00000.m4s'))).start).toBe(0);
    },
    LONG,
  );
});

describe('going on after an interruption', () => {
  test(
    'only what is missing is made again, and the seam is invisible',
    async () => {
      const job = await mill.upload(await copied(sample, 'resumed.mp4'));
      const plan = await mill.inspect(job);
      const request = await mill.encode(job, plan);
      const bucket = mill.config.storage.mediaBucket;
      const prefix = streamPrefix(job, 'video', '180p');
      const first = await mill.context.store.stat(bucket, `${prefix}seg-00000.m4s`);
      await mill.context.store.remove(bucket, [`${prefix}seg-00001.m4s`, `${prefix}seg-00002.m4s`]);

      expect(await run(mill.activities.video.encodeChunk, wholeOf(job, plan))).toMatchObject({
        frames: 270,
        endedEarly: false,
      });
      expect(await mill.context.store.stat(bucket, `${prefix}seg-00000.m4s`)).toEqual(first);
      await mill.publish(request);
      const decoded = await decode(join(await mill.fetch(job), 'video/180p/index.m3u8'));
      expect(decoded.frames).toBe(270);
      for (const step of decoded.steps) expect(step).toBeCloseTo(1001 / 30_000, 4);
    },
    LONG,
  );

  test(
    'publishing twice says the same',
    async () => {
      const { request, result } = await mill.make(await copied(sample, 'twice.mp4'));
      expect(await mill.publish(request)).toEqual(result);
    },
    LONG,
  );

  describe('a long encode', () => {
    let long: string;
    beforeAll(async () => {
      long = made('long.mp4');
      await ffmpeg(...pattern('640x360', '25', 60), ...X264, long);
    }, LONG);

    /** Stops an encode once its first segment is in the store. */
    async function interrupt(job: Job, stop: (env: MockActivityEnvironment) => void): Promise<unknown> {
      const plan = await mill.inspect(job);
      const env = new MockActivityEnvironment();
      const encode = env.run(mill.activities.video.encodeChunk, wholeOf(job, plan));
      const failure = encode.then(() => undefined, (error: unknown) => error); // prettier-ignore
      while (!(await mill.keys(job)).includes('video/360p/seg-00000.m4s'))
        await new Promise((resolve) => setTimeout(resolve, 20));
      stop(env);
      return failure;
    }

    test(
      'of a draining worker goes on from its last finished segment',
      async () => {
        const job = await mill.upload(long, 'drained');
        const error = await interrupt(job, (env) =>
          env.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true })),
        );
        expect(error).toMatchObject({ type: 'WorkerDraining', nonRetryable: false });
        expect(await scratchOf(mill)).toEqual([]);
        const saved = (await mill.keys(job)).filter((key) => key.endsWith('.m4s')).length;
        expect(saved).toBeGreaterThanOrEqual(1);
        expect(saved).toBeLessThan(15);
        await mill.publish(await mill.encode(job, await mill.inspect(job)));
        expect((await decode(join(await mill.fetch(job), 'video/360p/index.m3u8'))).frames).toBe(1500);
      },
      LONG,
    );

    test(
      'that is cancelled leaves nothing in scratch, and rethrows the cancellation',
      async () => {
        const job = await mill.upload(long, 'cancelled');
        const error = await interrupt(job, (env) => env.cancel('CANCELLED'));
        expect(error).toMatchObject({ name: 'CancelledFailure' });
        expect(await scratchOf(mill)).toEqual([]);
      },
      LONG,
    );
  });
});

describe('sources of every shape', () => {
  const cases: [string, string[], { size: string; frames: number; rate?: number }][] = [
    ['portrait', [...pattern('180x320', '25', 1), ...X264], { size: '180x320', frames: 25 }],
    ['odd sides', ['-f', 'lavfi', '-i', 'testsrc2=size=161x121:rate=25:duration=1', '-c:v', 'libvpx-vp9', '-f', 'webm'], { size: '160x120', frames: 25 }],
    ['a sample aspect ratio', [...pattern('180x180', '25', 1), '-vf', 'setsar=16/9', ...X264], { size: '320x180', frames: 25 }],
    ['no even size to be had', [...pattern('64x64', '25', 1), '-vf', 'format=gray,crop=1:1', '-c:v', 'ffv1', '-f', 'matroska'], { size: '2x2', frames: 25 }],
    ['interlaced', [...pattern('320x180', '50', 1), '-vf', 'interlace', '-flags', '+ilme+ildct', '-c:v', 'mpeg2video', '-f', 'mpegts'], { size: '320x180', frames: 25 }],
    ['one frame', [...pattern('320x180', '25', 1), '-frames:v', '1', ...X264], { size: '320x180', frames: 1 }],
    ['a tenth of a second', [...pattern('320x180', '30', 0.1), ...X264], { size: '320x180', frames: 3 }],
    ['a frame a second', [...pattern('320x180', '1', 5), ...X264], { size: '320x180', frames: 120 }],
    ['8.8 frames a second', [...pattern('320x180', '44/5', 5), ...X264], { size: '320x180', frames: 120 }],
    ['120 frames a second', [...pattern('320x180', '120', 2), ...X264], { size: '320x180', frames: 120 }],
    ['ten bits, 4:2:2', [...pattern('320x180', '25', 1), '-c:v', 'libx264', '-pix_fmt', 'yuv422p10le'], { size: '320x180', frames: 25 }],
    ['PQ', [...pattern('320x180', '25', 1), '-c:v', 'libx265', '-pix_fmt', 'yuv420p10le', '-x265-params', 'log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc'], { size: '320x180', frames: 25 }],
    ['gaps between its frames', [...pattern('320x180', '25', 4), '-vf', "select='not(between(n,30,70))'", '-fps_mode', 'vfr', ...X264], { size: '320x180', frames: 100 }],
    ['pictures that start late', [...pattern('320x180', '25', 2), ...tone(3), '-vf', 'setpts=PTS+1/TB', ...X264, '-c:a', 'flac', '-f', 'matroska'], { size: '320x180', frames: 75 }],
  ]; // prettier-ignore

  test.each(cases)('%s', async (name, args, expected) => {
    const source = made(`${name.replace(/\W+/g, '-')}.mp4`);
    await ffmpeg(...args, source);
    const { job, plan, result } = await mill.make(source);
    expect(result.state).toBe('ready');
    const decoded = await decode(join(await mill.fetch(job), `video/${plan.rungs[0]!.name}/index.m3u8`));
    expect(`${decoded.width}x${decoded.height}`).toBe(expected.size);
    expect(decoded).toMatchObject({ frames: expected.frames, sampleAspect: '1:1', pixelFormat: 'yuv420p', hasRotation: false });
  }, LONG); // prettier-ignore

  test.each([90, 180, 270])(
    'turned by %d degrees: upright, and no tag left',
    async (degrees) => {
      // White above black; then the tag that turns it.
      const flat = made('flat.mp4');
      const halves =
        'color=white:size=320x90:rate=25:duration=0.4[a];color=black:size=320x90:rate=25:duration=0.4[b];[a][b]vstack';
      await ffmpeg('-f', 'lavfi', '-i', halves, ...X264, flat);
      const turned = made(`turned-${degrees}.mp4`);
      await ffmpeg('-i', flat, '-c', 'copy', '-metadata:s:v:0', `rotate=${degrees}`, turned);
      const { job, plan } = await mill.make(turned);
      const playlist = join(await mill.fetch(job), `video/${plan.rungs[0]!.name}/index.m3u8`);
      expect(await decode(playlist)).toMatchObject({ ...(degrees === 180 ? { width: 320, height: 180 } : { width: 180, height: 320 }), hasRotation: false }); // prettier-ignore
      const upright = made('upright.mp4');
      await ffmpeg('-i', turned, ...X264, '-crf', '1', upright);
      // Which quarters are the brighter ones.
      const bright = async (path: string): Promise<boolean[]> =>
        (await lumas(path, '2:2')).slice(0, 4).map((luma) => luma > 128);
      expect(await bright(playlist)).toEqual(await bright(upright));
      expect((await bright(playlist)).filter(Boolean)).toHaveLength(2);
    },
    LONG,
  );

  /** `a b c d` of the matrix in the track's header: (x, y) is shown at (a x + c y, b x + d y). */
  test.each([
    ['left and right', [-1, 0, 0, 1], '320x180', [false, true, false, false]],
    ['top and bottom', [1, 0, 0, -1], '320x180', [false, false, true, false]],
    ['along its diagonal', [0, 1, 1, 0], '180x320', [true, false, false, false]],
    ['along its other diagonal', [0, -1, -1, 0], '180x320', [false, false, false, true]],
  ] as const)(
    'mirrored, %s',
    async (name, [a, b, c, d], size, expected) => {
      const source = made(`mirrored-${name.replaceAll(' ', '-')}.mp4`);
      const corner = 'color=black:size=320x180:rate=25:duration=0.4,drawbox=w=160:h=90:color=white:t=fill';
      await ffmpeg('-f', 'lavfi', '-i', corner, ...X264, source);
      const bytes = await readFile(source);
      const matrix = bytes.indexOf('tkhd') + 44;
      [a, b, 0, c, d].forEach((value, i) => bytes.writeInt32BE(value * 0x10000, matrix + i * 4));
      await writeFile(source, bytes);
      const { job, plan } = await mill.make(source);
      const playlist = join(await mill.fetch(job), `video/${plan.rungs[0]!.name}/index.m3u8`);
      const { width, height, hasRotation } = await decode(playlist);
      expect([`${width}x${height}`, hasRotation]).toEqual([size, false]);
      expect((await lumas(playlist, '2:2')).slice(0, 4).map((luma) => luma > 128)).toEqual(expected);
    },
    LONG,
  );

  test(
    'a small still of a video is a video, sound alone is audio, a cover is no picture',
    async () => {
      const cover = made('cover.jpg');
      await ffmpeg(...pattern('64x64', '1', 1), '-frames:v', '1', cover);
      const song = made('song.mp3');
      await ffmpeg(
        ...tone(2),
        '-i',
        cover,
        '-map',
        '0',
        '-map',
        '1',
        '-c:a',
        'libmp3lame',
        '-disposition:v',
        'attached_pic',
        song,
      );
      const { job, plan, result } = await mill.make(song);
      expect(plan).toMatchObject({ kind: 'audio', rungs: [] });
      expect(result).toMatchObject({ state: 'ready', kind: 'audio', renditions: ['audio-0'] });
      expect((await decodeSound(join(await mill.fetch(job), 'master.m3u8'))).length / 48_000).toBeCloseTo(2, 0);
    },
    LONG,
  );

  test(
    'every sound track, with its language',
    async () => {
      const source = made('languages.mkv');
      const tags = [
        '-metadata:s:a:0',
        'language=eng',
        '-metadata:s:a:1',
        'language=deu',
        '-metadata:s:a:1',
        'title=Kommentar',
      ];
      await ffmpeg(...pattern('64x64', '25', 1), ...tone(1), ...tone(1), '-map', '0', '-map', '1', '-map', '2', ...X264, '-ac:a:0', '6', '-c:a', 'ac3', ...tags, source); // prettier-ignore
      const { job, result } = await mill.make(source);
      expect(result.renditions).toEqual(['64p', 'audio-0-eng', 'audio-1-deu']);
      const master = await readFile(join(await mill.fetch(job), 'master.m3u8'), 'utf8');
      expect(master).toContain('NAME="Kommentar",LANGUAGE="de",DEFAULT=NO');
      expect(master).toContain('CHANNELS="2"');
    },
    LONG,
  );
});

describe('sources that are not whole', () => {
  test(
    'cut off: what is there is published, and said to be a part',
    async () => {
      const source = made('cut.mp4');
      await ffmpeg(...pattern('320x180', '25', 20), ...X264, '-movflags', '+faststart', source);
      const bytes = (await readFile(source)).length;
      await truncate(source, Math.floor(bytes / 2));
      const { job, plan, result } = await mill.make(source);
      expect(result.state).toBe('partial');
      expect(plan.facts.truncatedFrom).toBeCloseTo(20, 0);
      const document = await mill.document(job);
      expect(document.missing).toMatchObject([{ name: 'end', error: { code: 'TRUNCATED_FILE' } }]);
      expect(plan.grid!.totalFrames).toBeLessThan(400);
      expect((await decode(join(await mill.fetch(job), 'video/180p/index.m3u8'))).frames).toBeLessThanOrEqual(
        plan.grid!.totalFrames,
      );
    },
    LONG,
  );

  test(
    'a little damaged: published, and said to be damaged; much: refused',
    async () => {
      const whole = made('whole.mp4');
      await ffmpeg(...pattern('320x180', '25', 8), ...X264, '-x264-params', 'keyint=10', whole);
      const little = await mill.make(await damage(whole, made('little.mp4'), 3));
      expect(little.result.state).toBe('partial');
      expect((await mill.document(little.job)).missing).toMatchObject([
        { name: 'damaged frames', error: { code: 'DAMAGED_FILE' } },
      ]);
      await expect(mill.make(await damage(whole, made('much.mp4'), 400, 0.05, 0.95))).rejects.toMatchObject({ type: 'DAMAGED_FILE', nonRetryable: true }); // prettier-ignore
    },
    LONG,
  );
});

test(
  'what is published is neither discarded nor declared failed, however the step that published it ended',
  async () => {
    const source = made('published.mp4');
    await ffmpeg(...pattern('64x64', '25', 1), ...X264, source);
    const { job, result } = await mill.make(source);
    const before = await mill.keys(job);
    const document = await mill.document(job);
    await run(mill.activities.media.discardOutputs, job);
    const error = { code: 'CANCELLED', message: 'Processing was cancelled.' } as const;
    await run(mill.activities.media.recordEnd, {
      job,
      kind: 'video',
      state: 'cancelled',
      error,
      startedAt: job.uploadedAt,
    });
    expect(await mill.keys(job)).toEqual(before);
    expect(await mill.document(job)).toEqual(document);
    expect((await mill.context.catalogue.find(job.assetId))?.state).toBe(result.state);
  },
  LONG,
);

describe('a full disk', () => {
  test(
    'is an outage that is retried, and what filled it is freed',
    async () => {
      // Nobody else may mount a small disk: then a limit of ours must do.
      if (process.getuid?.() !== 0) return refusesLargeSource();
      const scratch = join(mill.dir, 'tiny');
      await onSmallDisk(scratch, 12, async () => {
        const tiny = await openMill({ ...mill.config, scratch: { ...mill.config.scratch, minFreeMiB: 0 } }, scratch);
        const empty = await freeBytes(scratch);
        const wasFreed = async (): Promise<void> => {
          expect(await scratchOf(tiny)).toEqual([]);
          expect((await freeBytes(scratch)) / MIB).toBeCloseTo(empty / MIB, 0);
        };
        try {
          // A source that does not fit, and can only be looked at as a whole.
          await expect(tiny.inspect(await tiny.upload(await uncompressed()))).rejects.toMatchObject(NO_SPACE);
          await wasFreed();
          const large = made('large.bin');
          await writeFile(large, Buffer.alloc(16 * MIB, 'x'));
          const { source: whole, ...job } = await tiny.upload(large);
          const { size: _unknown, ...source } = whole;
          // prettier-ignore
          await expect(run(tiny.activities.image.makeImage, { ...job, source, corrected: true }, '')).rejects.toMatchObject(NO_SPACE);
          await wasFreed();

          // A source that fits, and an encode that does not.
          const noise = made('noise.mp4');
          await ffmpeg(
            '-f',
            'lavfi',
            '-i',
            'testsrc2=size=1280x720:rate=25:duration=8,noise=alls=60:allf=t',
            ...X264,
            '-b:v',
            '2M',
            noise,
          );
          const film = await tiny.upload(noise);
          const plan = await tiny.inspect(film);
          await writeFile(join(scratch, 'ballast'), Buffer.alloc(Math.max(0, (await freeBytes(scratch)) - MIB)));
          await expect(run(tiny.activities.video.encodeChunk, wholeOf(film, plan))).rejects.toMatchObject(NO_SPACE);
          expect(await scratchOf(tiny)).toEqual([]);
        } finally {
          await tiny.close();
        }
      });
    },
    LONG,
  );

  test(
    'is not tried by an image, nor by a poster, when there is too little room to begin',
    async () => {
      const config = { ...mill.config, scratch: { ...mill.config.scratch, minFreeMiB: 1e12 } };
      const full = await openMill(config);
      try {
        const job = await mill.upload(sample);
        await expect(run(full.activities.image.makeImage, job, '')).rejects.toMatchObject(NO_SPACE);
        const plan = await mill.inspect(job);
        await run(mill.activities.video.encodeChunk, wholeOf(job, plan));
        await expect(run(full.activities.image.makePoster, job, plan)).rejects.toMatchObject(NO_SPACE);
      } finally {
        await full.close();
      }
    },
    LONG,
  );
});

test('nothing is left in scratch', async () => {
  expect(await scratchOf(mill)).toEqual([]);
});

async function refusesLargeSource(): Promise<void> {
  const tiny = await openMill({ ...mill.config, scratch: { ...mill.config.scratch, maxGiB: 12 / 1024 } });
  try {
    await expect(tiny.inspect(await tiny.upload(await uncompressed()))).rejects.toMatchObject(NO_SPACE);
    expect(await scratchOf(tiny)).toEqual([]);
  } finally {
    await tiny.close();
  }
}

/** 16 MiB, of a kind that is not read in parts. */
async function uncompressed(): Promise<string> {
  const path = made('uncompressed.mkv');
  await ffmpeg(...pattern('640x360', '25', 2), '-c:v', 'rawvideo', '-pix_fmt', 'yuv420p', path);
  return path;
}

const MIB = 1024 ** 2;
const NO_SPACE = { type: 'NO_SPACE', nonRetryable: false };

async function onSmallDisk(dir: string, mebibytes: number, use: () => Promise<void>): Promise<void> {
  await mkdir(dir);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'mediamill-test', dir]);
  try {
    await use();
  } finally {
    execFileSync('umount', [dir]);
  }
}

/** Folders of jobs; the cache of sources may stay. */
async function scratchOf({ config }: Mill): Promise<string[]> {
  const all = await readdir(config.scratch.dir, { recursive: true });
  return all.filter((name) => /(^|\/)job-/.test(name));
}

async function copied(path: string, name: string): Promise<string> {
  await copyFile(path, made(name));
  return made(name);
}

async function all(master: string): Promise<{ streams: { codec_type: string }[] }> {
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
  const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', master]);
  return JSON.parse(stdout) as { streams: { codec_type: string }[] };
}

/** All rungs and stills of a video as one chunk, as a step is asked for it. */
const wholeOf = (job: Job, plan: VideoPlan): ChunkRequest => {
  const [chunk] = chunksOf({ ...plan, chunkSegments: 0 });
  return { job, plan, chunk: chunk!, rungs: plan.rungs.map(({ name }) => name), stills: true };
};
