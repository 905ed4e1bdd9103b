/** Inspection by the index of a movie says the same as reading all of it, and slices decode like the whole. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';

import { probeMovie, probeWhole } from '../../src/activities/video/probe-source.js';
import { NeedsWholeSource, withSource } from '../../src/activities/video/with-source.js';
import { createLogger } from '../../src/logging/index.js';
import type { Config } from '../../src/config/index.js';
import type { Job } from '../../src/contracts/assets.js';
import type { VideoFacts } from '../../src/contracts/plan.js';
import { createObjectStore, createScratch, type ObjectStore, type Scratch } from '../../src/storage/index.js';
import { createTools } from '../../src/tools/index.js';
import type { Tools } from '../../src/tools/tools.js';
import { useStack } from '../support/stack.js';
import { jobOf } from '../support/job.js';

// Real servers on a machine that may be busy.
jest.setTimeout(60_000);

const exec = promisify(execFile);
const FIXTURES = fileURLToPath(new URL('../../../shared/fixtures/video/', import.meta.url));
const logger = createLogger({ backend: 'pino', level: 'error' });

const stack = useStack();
let dir: string;
let config: Config;
let store: ObjectStore;
let scratch: Scratch;
let tools: Tools;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-inspect-'));
  config = await stack.isolated();
  store = createObjectStore(config.storage);
  scratch = await createScratch({ ...config.scratch, dir: join(dir, 'scratch') }, logger);
  tools = await createTools(config, logger, scratch.dir);
}, 180_000);
afterAll(async () => {
  await tools.close();
  await scratch.close();
  await rm(dir, { recursive: true });
});

const context = () => ({ config, store, scratch, tools });
const scopeOf = (signal = new AbortController().signal) => ({ signal, report: () => undefined, logger });

async function upload(path: string): Promise<Job> {
  const { uploadsBucket: bucket } = config.storage;
  const key = randomUUID();
  await store.putFile(bucket, key, path, { contentType: 'application/octet-stream' });
  const { etag, bytes: size } = await store.stat(bucket, key);
  return jobOf({ bucket, key, etag, size });
}

const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=6'];
const picture = (rate = '25', seconds = 6): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=${rate}:duration=${seconds}`],
];
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '50', '-pix_fmt', 'yuv420p'];
async function make(name: string, args: readonly string[]): Promise<string> {
  await exec('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', ...args, join(dir, name)]);
  return join(dir, name);
}

/** Durations to within a frame (the last one's own length is only in the index), everything else exactly. */
function expectSame(fast: VideoFacts, slow: VideoFacts, lastFrame = 1 / (slow.video?.frameRate ?? 25)): void {
  const frame = lastFrame + 0.025;
  const near = (a: number | undefined, b: number | undefined): void =>
    expect(Math.abs((a ?? 0) - (b ?? 0))).toBeLessThanOrEqual(frame);
  near(fast.duration, slow.duration);
  near(fast.video?.duration, slow.video?.duration);
  fast.audio.forEach((track, i) => near(track.duration, slow.audio[i]?.duration));
  const rest = ({ index: _index, ...facts }: VideoFacts): unknown => ({
    ...facts,
    duration: 0,
    video: facts.video && { ...facts.video, duration: 0, frameRate: facts.video.frameRate.toFixed(3) },
    audio: facts.audio.map((track) => ({ ...track, duration: 0 })),
  });
  expect(rest(fast)).toEqual(rest(slow));
}

const MADE: Readonly<Record<string, () => Promise<string>>> = {
  'index at the end, reordered frames, sound': () => make('plain.mp4', [...picture(), ...SOUND, ...X264, '-c:a', 'aac', '-shortest']),
  'index in front': () => make('front.mp4', [...picture('30000/1001'), ...SOUND, ...X264, '-c:a', 'aac', '-movflags', '+faststart']),
  'QuickTime with uncompressed sound': () => make('pcm.mov', [...picture('24'), ...SOUND, ...X264, '-c:a', 'pcm_s24le']),
  'variable frame rate': () => make('vfr.mp4', [...picture(), '-vf', "select='not(mod(n,3))+lt(n,60)'", '-fps_mode', 'vfr', ...X264]),
  'picture later than sound': () => make('late.mp4', ['-itsoffset', '1.5', ...picture(), ...SOUND, ...X264, '-c:a', 'aac']),
  'cut in the middle of a group of pictures': async () => make('cut.mp4', ['-ss', '2.7', '-i', await make('uncut.mp4', [...picture(), ...SOUND, ...X264, '-c:a', 'aac']), '-c', 'copy']),
  'rotated': async () => make('rotated.mp4', ['-display_rotation', '90', '-i', await make('upright.mp4', [...picture(), ...X264]), '-c', 'copy']).catch(async () => make('rotated.mp4', ['-i', join(dir, 'upright.mp4'), '-c', 'copy', '-metadata:s:v:0', 'rotate=90'])),
  'one frame': () => make('one.mp4', [...picture('25', 1), '-frames:v', '1', ...X264]),
  'sound only': () => make('sound.m4a', [...SOUND, '-c:a', 'aac']),
  'subtitles and two languages': async () => {
    await writeFile(join(dir, 'a.srt'), '1\n00:00:01,000 --> 00:00:02,000\nHello\n');
    const langs = ['-metadata:s:a:0', 'language=deu', '-metadata:s:a:1', 'language=eng', '-metadata:s:s:0', 'language=fra'];
    return make('subs.mp4', [...picture(), ...SOUND, '-i', join(dir, 'a.srt'), '-map', '0', '-map', '1', '-map', '1', '-map', '2', ...X264, '-c:a', 'aac', '-c:s', 'mov_text', ...langs]);
  },
}; // prettier-ignore

describe('inspection by the index says the same as reading all packets', () => {
  test.each(Object.keys(MADE))('%s', async (name) => {
    const job = await upload(await MADE[name]!());
    const fast = await probeMovie(context(), scopeOf(), job, job.source.size!);
    expect(fast?.index).toBeDefined();
    // Of the variable one, the slowest frames.
    expectSame(fast!, await probeWhole(context(), scopeOf(), job), name === 'variable frame rate' ? 0.12 : undefined);
  });

  const shared = existsSync(FIXTURES) ? readdirSync(FIXTURES) : [];
  test('of real makers', async () => {
    const byIndex: string[] = [];
    for (const name of shared) {
      const job = await upload(join(FIXTURES, name));
      const fast = await probeMovie(context(), scopeOf(), job, job.source.size!);
      if (!fast) continue;
      byIndex.push(name);
      try {
        expectSame(fast, await probeWhole(context(), scopeOf(), job));
      } catch (error) {
        throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
      }
    }
    // All MP4 and MOV but the two fragmented ones.
    expect(byIndex).toEqual(shared.filter((name) => /\.(mp4|mov)$/.test(name) && !/fragmented/.test(name)));
  }, 120_000);

  test.each(['mkv', 'ts', 'fragmented'])('%s has no index', async (name) => {
    const path =
      name === 'fragmented'
        ? await make('frag.mp4', [...picture(), ...X264, '-movflags', 'frag_keyframe+empty_moov'])
        : await make(`x.${name}`, [...picture(), ...X264]);
    const job = await upload(path);
    expect(await probeMovie(context(), scopeOf(), job, job.source.size!)).toBeUndefined();
    expect((await probeWhole(context(), scopeOf(), job)).index).toBeUndefined();
  });

  test('a file that ends before its tables do is read whole', async () => {
    const bytes = await readFile(await make('cut-off.mp4', [...picture(), ...X264, '-movflags', '+faststart']));
    await writeFile(join(dir, 'short.mp4'), bytes.subarray(0, Math.floor(bytes.length * 0.8)));
    const job = await upload(join(dir, 'short.mp4'));
    expect(await probeMovie(context(), scopeOf(), job, job.source.size!)).toBeUndefined();
  });
});

describe('a slice of a source', () => {
  /** Noise: many megabytes for few pixels. */
  let path: string;
  let job: Job;
  let facts: VideoFacts;
  beforeAll(async () => {
    const noise = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=120,noise=alls=100:allf=t:all_seed=1'];
    const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=120'];
    path = await make('noise.mp4', [...noise, ...sound, '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '250', '-sc_threshold', '0', '-crf', '12', '-c:a', 'aac']); // prettier-ignore
    job = await upload(path);
    facts = (await probeMovie(context(), scopeOf(), job, job.source.size!))!;
  }, 120_000);

  const hashes = async (folder: string, from: number, frames: number, stream: number, args: string[]) => {
    const seek = from > 0 ? ['-noaccurate_seek', '-ss', String(from)] : [];
    const input = ['-nostdin', '-v', 'warning', ...seek, '-i', join(folder, 'source'), '-map', `0:${stream}`];
    const { stdout, stderr } = await exec('ffmpeg', [...input, ...args, String(frames), '-f', 'framemd5', '-']);
    return { frames: stdout.split('\n').filter((line) => !line.startsWith('#')), stderr };
  };

  test.each([
    { from: 0, to: 4 },
    { from: 28, to: 30 },
    { from: 116, to: 120 },
  ])('from $from to $to s decodes like the whole, and is small', async ({ from, to }) => {
    const fresh = await createScratch({ ...config.scratch, dir: join(dir, `fresh-${from}`) }, logger);
    try {
      const lead = Math.max(0, from - 2);
      const decodeVideo = (folder: string) => hashes(folder, lead, (to - lead) * 25, 0, ['-frames:v']);
      const window = { index: facts.index, fromSeconds: from, toSeconds: to, streams: [0] };
      const sliced = await withSource({ ...context(), scratch: fresh }, scopeOf(), job, 'x', async (folder, source) => {
        expect(source.sliced).toBe(true);
        const { size, blocks } = await stat(join(folder, 'source'));
        expect(size).toBe(job.source.size);
        expect(blocks * 512).toBeLessThan(size * 0.5);
        return decodeVideo(folder);
      }, window); // prettier-ignore
      expect(sliced.stderr).toBe('');
      const whole = await withSource({ ...context(), scratch: fresh }, scopeOf(), job, 'x', decodeVideo);
      expect(sliced.frames).toEqual(whole.frames);
      // Now that it is here, nobody needs a slice.
      const again = await withSource({ ...context(), scratch: fresh }, scopeOf(), job, 'x', (_, { sliced: is }) => Promise.resolve(is), window); // prettier-ignore
      expect(again).toBe(false);
    } finally {
      await fresh.close();
    }
  });

  test('of the sound alone', async () => {
    const fresh = await createScratch({ ...config.scratch, dir: join(dir, 'fresh-sound') }, logger);
    const window = { index: facts.index, fromSeconds: 28, toSeconds: 30, streams: [1] };
    const decodeSound = (folder: string) => hashes(folder, 26, 4, 1, ['-t']);
    try {
      const sliced = await withSource({ ...context(), scratch: fresh }, scopeOf(), job, 'x', async (folder, source) => {
        expect(source.sliced).toBe(true);
        return decodeSound(folder);
      }, window); // prettier-ignore
      expect(sliced.stderr).toBe('');
      expect(sliced).toEqual(await withSource({ ...context(), scratch: fresh }, scopeOf(), job, 'x', decodeSound));
    } finally {
      await fresh.close();
    }
  });

  test('that does not do is followed by the whole', async () => {
    const fresh = await createScratch({ ...config.scratch, dir: join(dir, 'fresh-again') }, logger);
    const window = { index: facts.index, fromSeconds: 0, toSeconds: 4, streams: [0] };
    const seen: boolean[] = [];
    try {
      await withSource({ ...context(), scratch: fresh }, scopeOf(), job, 'x', async (folder, { sliced }) => {
        seen.push(sliced);
        if (sliced) throw new NeedsWholeSource('a test wants it so');
        expect((await readFile(join(folder, 'source'))).equals(await readFile(path))).toBe(true);
      }, window); // prettier-ignore
      expect(seen).toEqual([true, false]);
      const old = { ...job, source: { ...job.source, etag: 'f'.repeat(32) } };
      await expect(withSource({ ...context(), scratch: fresh }, scopeOf(), old, 'x', () => Promise.resolve(), window)).rejects.toMatchObject({ code: 'OBJECT_GONE' }); // prettier-ignore
    } finally {
      await fresh.close();
    }
  });
});
