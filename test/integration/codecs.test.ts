/** Every codec with the real encoders: on the grid, alike in all chunks, and named as planned. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { VideoCodec, VideoRung } from '../../src/contracts/plan.js';
import { videoCodecArgs } from '../../src/media/video/codec-args.js';
import { codecsOf } from '../../src/media/video/codec-names.js';
import { CLEAN_OUTPUT, hlsOptions } from '../../src/media/video/encode-args.js';
import { ladder } from '../../src/media/video/ladder.js';
import { alignFragment, readFragment, readInit } from '../../src/media/video/mp4.js';
import { profile } from '../media/video/support.js';

const exec = promisify(execFile);
const FASTEST: Record<VideoCodec, string> = { h264: 'superfast', hevc: 'ultrafast', av1: '12', vp9: '5' };
const GRID = { gopFrames: 25, segmentFrames: 50 };
const FPS = 25;

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-codecs-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const rungOf = (codec: VideoCodec, own: Partial<VideoRung> = {}): VideoRung => ({
  ...ladder(192, 108, FPS, {
    rungs: [{ size: 108, codec, crf: 35, capKbps: 500 }],
    presets: FASTEST,
  })[0]!,
  ...own,
});

/** @returns the init segment and the segments, each moved to its place */
async function encode(
  rung: VideoRung,
  firstSegment: number,
  frames: number,
  { picture = 'testsrc2', isHasty = false }: { picture?: string; isHasty?: boolean } = {},
) {
  const folder = await mkdtemp(join(dir, `${rung.codec}-`));
  await mkdir(join(folder, 'x'));
  const start = (firstSegment * GRID.segmentFrames) / FPS;
  const source = `${picture}=s=${rung.width}x${rung.height}:r=${FPS},trim=start_frame=${start * FPS},setpts=PTS-STARTPTS`;
  const input = ['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', source, '-frames:v', String(frames)];
  const output = [...CLEAN_OUTPUT, ...hlsOptions('x', GRID.segmentFrames / FPS, firstSegment), 'x/index.m3u8'];
  await exec('ffmpeg', [...input, ...videoCodecArgs(rung, GRID, { threads: 1, isHasty }), ...output], { cwd: folder });
  const init = await readFile(join(folder, 'x', 'init.mp4'));
  const { timescale } = readInit(init);
  const names = (await readdir(join(folder, 'x'))).filter((name) => name.endsWith('.m4s')).sort();
  const segments = await Promise.all(
    names.map(async (name, index) => {
      const number = firstSegment + index;
      const ticks = (number * GRID.segmentFrames * timescale) / FPS;
      return alignFragment(await readFile(join(folder, 'x', name)), ticks, number + 1);
    }),
  );
  return { init, segments };
}

interface Frame {
  readonly pts_time: string;
  readonly key_frame: number;
}

async function decode(bytes: Buffer): Promise<Frame[]> {
  const file = join(await mkdtemp(join(dir, 'joined-')), 'joined.mp4');
  await writeFile(file, bytes);
  const { stdout, stderr } = await exec(
    'ffprobe',
    ['-v', 'error', '-select_streams', 'v', '-show_entries', 'frame=pts_time,key_frame', '-of', 'json', file],
    { maxBuffer: 64 * 1024 ** 2 },
  );
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as { frames: Frame[] }).frames;
}

describe.each(['h264', 'hevc', 'av1', 'vp9'] as const)('%s', (codec) => {
  test('two chunks join to one stream: every frame there, key frames on the grid, one init segment', async () => {
    const rung = rungOf(codec);
    const first = await encode(rung, 0, 100);
    // Other content, and another quality: whatever the encoder decides by itself must not show in the init segment.
    const second = await encode({ ...rung, crf: rung.crf + 10 }, 2, 60, { picture: 'mandelbrot' });
    expect(second.init.equals(first.init)).toBe(true);
    expect(readInit(first.init).codecs).toBe(rung.codecs);

    const segments = [...first.segments, ...second.segments];
    const ticks = 2 * readInit(first.init).timescale;
    expect(segments.map((segment) => readFragment(segment))).toMatchObject([
      { start: 0, samples: 50, startsWithSync: true },
      { start: ticks, samples: 50, startsWithSync: true },
      { start: 2 * ticks, samples: 50, startsWithSync: true },
      { start: 3 * ticks, samples: 10, startsWithSync: true },
    ]);
    const frames = await decode(Buffer.concat([first.init, ...segments]));
    // ffprobe moves a file whose frames are reordered as a whole; segments' own times are looked at above.
    const start = Number(frames[0]!.pts_time);
    expect(frames.map((frame) => Math.round((Number(frame.pts_time) - start) * FPS))).toEqual(
      Array.from({ length: 160 }, (_, i) => i),
    );
    const keys = frames.flatMap((frame, i) => (frame.key_frame ? [i] : []));
    expect(keys).toEqual([0, 25, 50, 75, 100, 125, 150]);
  });

  test('a segment alone decodes to the same frames: no GOP needs another one', async () => {
    const { init, segments } = await encode(rungOf(codec), 0, 100);
    expect(await decode(Buffer.concat([init, segments[1]!]))).toHaveLength(50);
  });
});

test.each(['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium', 'slow', 'veryslow'])(
  'x264 in a hurry, preset %s: the same init segment, and its chunk joins one that was not',
  async (preset) => {
    const rung = rungOf('h264', { preset });
    const calm = await encode(rung, 0, 100);
    const hasty = await encode(rung, 2, 60, { isHasty: true });
    expect(hasty.init.equals(calm.init)).toBe(true);
    expect(await decode(Buffer.concat([calm.init, ...calm.segments, ...hasty.segments]))).toHaveLength(160);
  },
);

/** Of all shipped profiles, for all usual sizes and rates. */
const planned = ['default', 'fast', 'quality', 'archive'].flatMap((name) =>
  [320, 640, 1280, 1920, 2560, 3840].flatMap((width) =>
    [24, 30, 50, 60].flatMap((fps) => ladder(width, (width * 9) / 16, fps, profile({}, name))),
  ),
);
const h264Levels = [...new Set(planned.map(({ level }) => level))].sort();

test('x264 writes the name that was planned, at every level and with every preset of the shipped profiles', async () => {
  expect(h264Levels.length).toBeGreaterThan(6);
  const presets = [...new Set(['ultrafast', 'superfast', 'medium', ...planned.map(({ preset }) => preset)])];
  for (const level of h264Levels) {
    const { init } = await encode(rungOf('h264', { level }), 0, 2);
    expect(readInit(init).codecs).toBe(codecsOf('h264', level));
  }
  for (const preset of presets) {
    const { init } = await encode(rungOf('h264', { preset }), 0, 2);
    expect([preset, readInit(init).codecs]).toEqual([preset, rungOf('h264').codecs]);
  }
});

test.each([
  ['hevc', ['2.0', '3.0', '4.0', '4.1', '5.1']],
  ['av1', ['2.0', '3.0', '3.1', '4.0', '4.1', '5.1']],
] as const)('%s: the name that was planned, at every level', async (codec, levels) => {
  for (const level of levels) {
    const { init } = await encode(rungOf(codec, { level }), 0, 2);
    expect(readInit(init).codecs).toBe(codecsOf(codec, level));
  }
});

test.each([
  [256, 144],
  [640, 360],
  [1280, 720],
  [1920, 1080],
])('vp9: the name that was planned, at %dx%d', async (width, height) => {
  const [rung] = ladder(width, height, FPS, {
    rungs: [{ size: height, codec: 'vp9', crf: 50, capKbps: 500 }],
    presets: FASTEST,
  });
  const { init } = await encode(rung!, 0, 2);
  expect(readInit(init).codecs).toBe(rung!.codecs);
});
