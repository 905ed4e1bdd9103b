/** What a plan owes to a look into the source: frames that are copied, and bits by content. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { chunksOf, type VideoPlan } from '../../src/contracts/plan.js';
import type { Job } from '../../src/contracts/assets.js';
import { planKey, segmentName, streamPrefix } from '../../src/media/video/layout.js';
import { readFragment, readInit } from '../../src/media/video/mp4.js';
import { planVideo } from '../../src/media/video/plan.js';
import { openMill, run, type Mill } from '../activities/video/support.js';
import { useStack } from '../support/stack.js';

const exec = promisify(execFile);
const LONG = 120_000;
const stack = useStack();
let mill: Mill;
let profiles: string;

const PROFILES = {
  'copying.yaml': 'extends: default\npassthrough: true\nrungs:\n  - { size: 180, codec: h264, crf: 23, capKbps: 2000 }\n  - { size: 90, codec: h264, crf: 23, capKbps: 300 }\n',
  'flat.yaml': 'extends: default\nrungs:\n  - { size: 180, codec: h264, crf: 23, capKbps: 1500 }\nstoryboard: off\n',
  'aware.yaml': 'extends: flat\ncontentAware: true\n',
}; // prettier-ignore

beforeAll(async () => {
  const config = await stack.isolated({ database: true });
  profiles = await mkdtemp(join(tmpdir(), 'mediamill-profiles-'));
  for (const [name, text] of Object.entries(PROFILES)) await writeFile(join(profiles, name), text);
  mill = await openMill({ ...config, profiles: { dir: profiles } });
}, LONG);
afterAll(async () => {
  await mill.close();
  await rm(profiles, { recursive: true, force: true });
});

const BT709 = ['-color_range', 'tv', '-colorspace', 'bt709', '-color_trc', 'bt709', '-color_primaries', 'bt709'];

async function made(name: string, picture: string, ...options: string[]): Promise<string> {
  const file = join(mill.dir, name);
  const encoder = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', ...BT709, ...options];
  await exec('ffmpeg', ['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', picture, ...encoder, file]);
  return file;
}

async function planned(file: string, profile: string): Promise<{ job: Job; plan: VideoPlan }> {
  const job = { ...(await mill.upload(file)), profile };
  return { job, plan: await mill.inspect(job) };
}

const read = (job: Job, rung: string, name: string): Promise<Buffer> =>
  mill.context.store.read(mill.config.storage.mediaBucket, streamPrefix(job, 'video', rung) + name);

/** A checksum of every decoded frame. */
async function frames(input: string): Promise<string[]> {
  const { stdout } = await exec('ffmpeg', ['-v', 'error', '-i', input, '-map', '0:v', '-f', 'framemd5', '-']);
  return stdout.split('\n').flatMap((line) => (/^\d/.test(line) ? [line.split(',').at(-1)!.trim()] : []));
}

describe('passthrough', () => {
  test(
    "a source that fits: the rung has the source's own frames, in segments on the grid",
    async () => {
      const file = await made('fits.mp4', 'testsrc2=s=320x180:r=30000/1001:d=10', '-g', '60', '-sc_threshold', '0');
      const { job, plan } = await planned(file, 'copying');
      expect(plan.rungs.map(({ name, passthrough }) => [name, passthrough])).toEqual([
        ['180p', true],
        ['90p', undefined],
      ]);
      const result = await run(mill.activities.video.copyRung, job, plan, '180p');
      expect(result).toEqual({ frames: 300, endedEarly: false, damagedFrames: 0, quality: [] });

      const init = await read(job, '180p', 'init.mp4');
      const { codecs, timescale } = readInit(init);
      expect(codecs).toBe(plan.rungs[0]!.codecs);
      const segments = await Promise.all([0, 1, 2].map((segment) => read(job, '180p', segmentName(segment))));
      expect(segments.map((segment) => readFragment(segment))).toEqual(
        [120, 120, 60].map((samples, i) => ({
          start: (i * 120 * 1001 * timescale) / 30_000,
          samples,
          startsWithSync: true,
        })),
      );
      const joined = join(mill.dir, 'joined.mp4');
      await writeFile(joined, Buffer.concat([init, ...segments]));
      expect(await frames(joined)).toEqual(await frames(file));

      // Again: what is there stays as it is.
      const before = await mill.context.store.stat(
        mill.config.storage.mediaBucket,
        streamPrefix(job, 'video', '180p') + segmentName(1),
      );
      expect(await run(mill.activities.video.copyRung, job, plan, '180p')).toEqual(result);
      expect(
        await mill.context.store.stat(
          mill.config.storage.mediaBucket,
          streamPrefix(job, 'video', '180p') + segmentName(1),
        ),
      ).toEqual(before);
    },
    LONG,
  );

  test(
    'what turns out not to fit only while it is copied is to be encoded, and nothing of the copy is left',
    async () => {
      const file = await made('later.mp4', 'testsrc2=s=320x180:r=25:d=32', '-g', '50', '-sc_threshold', '0');
      const entries = ['-show_entries', 'packet=pos', '-of', 'csv=p=0'];
      const { stdout } = await exec('ffprobe', ['-v', 'error', '-select_streams', 'v', ...entries, file]);
      const bytes = await readFile(file);
      const nal = Number.parseInt(stdout.split('\n')[100]!, 10) + 4;
      expect(bytes[nal]! & 0x1f).toBe(5);
      bytes[nal] = (bytes[nal]! & 0xe0) | 1;
      await writeFile(file, bytes);

      const { job, plan } = await planned(file, 'copying');
      expect(plan.rungs[0]).toMatchObject({ name: '180p', passthrough: true });
      const result = await run(mill.activities.video.copyRung, job, plan, '180p');
      const own = planVideo(plan.facts, mill.context.profiles.get('copying'));
      expect(result).toMatchObject({ instead: own.rungs[0] });
      const { store, config } = mill.context;
      const left: string[] = [];
      for await (const { key } of store.list(config.storage.mediaBucket, streamPrefix(job, 'video', '180p')))
        left.push(key);
      expect(left).toEqual([]);
      const stored = JSON.parse((await store.read(config.storage.mediaBucket, planKey(job))).toString()) as {
        plan: VideoPlan;
      };
      expect(stored.plan.rungs).toEqual(own.rungs);
      const request = {
        job,
        plan: stored.plan,
        chunk: { firstSegment: 0, segments: 1 },
        rungs: ['180p'],
        stills: false,
      };
      expect(await run(mill.activities.video.encodeChunk, request)).toMatchObject({ frames: 100 });
    },
    LONG,
  );

  test.each([
    ['key frames elsewhere', 'keys.mp4', 'testsrc2=s=320x180:r=25:d=6', ['-g', '250']],
    [
      'open GOPs',
      'open.mp4',
      'testsrc2=s=320x180:r=25:d=6',
      ['-g', '100', '-x264-params', 'open-gop=1:scenecut=0:keyint=100'],
    ],
    ['10 bit', 'deep.mp4', 'testsrc2=s=320x180:r=25:d=6', ['-g', '50', '-pix_fmt', 'yuv420p10le']],
    ['no index', 'fragments.mp4', 'testsrc2=s=320x180:r=25:d=6', ['-g', '50', '-movflags', 'frag_keyframe+empty_moov']],
  ])('%s: everything is encoded', async (_, name, picture, options) => {
    const { plan } = await planned(await made(name, picture, ...options), 'copying');
    expect(plan.rungs.map(({ passthrough }) => passthrough)).toEqual([undefined, undefined]);
  });
});

describe('contentAware', () => {
  /** @returns bytes of the rung, and how much it resembles its source */
  async function encoded(file: string, profile: string): Promise<{ bytes: number; ssim: number; cap: number }> {
    const { job, plan } = await planned(file, profile);
    const [rung] = plan.rungs;
    for (const chunk of chunksOf(plan))
      await run(mill.activities.video.encodeChunk, { job, plan, chunk, rungs: [rung!.name], stills: false });
    const parts = [await read(job, rung!.name, 'init.mp4')];
    for (const { firstSegment, segments } of chunksOf(plan))
      for (let i = 0; i < segments; i += 1) parts.push(await read(job, rung!.name, segmentName(firstSegment + i)));
    const joined = join(mill.dir, `${job.assetId}.mp4`);
    await writeFile(joined, Buffer.concat(parts));
    const compare = '[0:v]setpts=N/25/TB[a];[1:v]setpts=N/25/TB[b];[a][b]ssim';
    const { stderr } = await exec('ffmpeg', ['-i', joined, '-i', file, '-lavfi', compare, '-f', 'null', '-']);
    const ssim = Number(/All:([\d.]+)/.exec(stderr)?.[1]);
    return { bytes: parts.reduce((sum, { length }) => sum + length, 0), ssim, cap: rung!.maxrateKbps };
  }

  const QUIET = 'smptehdbars=s=320x180:r=25:d=10,noise=alls=3:allf=t';
  const BUSY = 'testsrc2=s=320x180:r=25:d=10,rotate=t*2,noise=alls=12:allf=t';

  test(
    'a quiet picture costs less than the same ladder without it, a busy one keeps its bits; both look good',
    async () => {
      const quiet = await made('quiet.mp4', QUIET, '-crf', '10');
      const busy = await made('busy.mp4', BUSY, '-crf', '10');
      const [flatQuiet, awareQuiet] = [await encoded(quiet, 'flat'), await encoded(quiet, 'aware')];
      const [flatBusy, awareBusy] = [await encoded(busy, 'flat'), await encoded(busy, 'aware')];
      expect(awareQuiet.bytes).toBeLessThan(flatQuiet.bytes * 0.95);
      expect(awareQuiet.cap).toBeLessThanOrEqual(flatQuiet.cap / 2);
      expect(awareQuiet.ssim).toBeGreaterThan(0.9);
      expect(awareBusy.cap).toBe(flatBusy.cap);
      expect(awareBusy.bytes).toBeGreaterThan(awareQuiet.bytes * 4);
      expect(awareBusy.ssim).toBeGreaterThan(flatBusy.ssim - 0.02);
      expect(awareBusy.ssim).toBeGreaterThan(0.7);
    },
    LONG,
  );
});

test('an unknown profile is refused before anything is read', async () => {
  const file = await made('any.mp4', 'testsrc2=s=64x64:r=25:d=0.2');
  await expect(planned(file, 'no-such-thing')).rejects.toThrow('There is no such profile.');
});
