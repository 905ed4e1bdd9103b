/** From an uploaded animation to a published one with its loops: the activities of both queues on real servers, with real codecs. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import sharp, { type Sharp } from 'sharp';

import { createActivities, type Activities } from '../../src/activities/index.js';
import type { Config } from '../../src/config/index.js';
import type { ImageOutcome, MadeImage, MissingPart } from '../../src/contracts/activities.js';
import { outputPrefix, type Job } from '../../src/contracts/assets.js';
import type { LoopPlan } from '../../src/contracts/image.js';
import type { Rendition } from '../../src/contracts/renditions.js';
import { createLogger } from '../../src/logging/index.js';
import { openContext, type OpenContext } from '../../src/workers/context.js';
import { jobOf } from '../support/job.js';
import { useStack } from '../support/stack.js';
import { failureOf } from '../tools/support.js';

// Real servers and codecs on a machine that has other tests to run.
jest.setTimeout(90_000);

const run = promisify(execFile);
const stack = useStack();
let config: Config;
let open: OpenContext;
let activities: Activities;
let dir: string;
let profiles: string;

const PROFILE = `
extends: default
description: Both kinds of loops, no wider than 60 pixels.
image: { widths: [80], formats: [jpeg], animation: { loops: [mp4, webm], maxWidth: 60 } }
`;

const NO_LOOPS = `
extends: loops
description: Animated WebP alone.
image: { animation: { loops: [] } }
`;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-animation-'));
  profiles = await mkdtemp(join(tmpdir(), 'mediamill-profiles-'));
  await writeFile(join(profiles, 'loops.yaml'), PROFILE);
  await writeFile(join(profiles, 'no-loops.yaml'), NO_LOOPS);
  const overrides = {
    ...{ scratch: { dir }, profiles: { dir: profiles }, workers: { imageConcurrency: 1 } },
    ...{ limits: { imageSeconds: 60 }, log: { level: 'error' as const } },
  };
  config = await stack.isolated({ database: true, overrides });
  open = await openContext(config, createLogger(config.log), { tools: true });
  activities = createActivities(open.activities);
}, 120_000);
afterAll(async () => {
  await open?.close();
  await rm(dir, { recursive: true });
  await rm(profiles, { recursive: true });
});

/** Milliseconds. A frame that claims 10 ms or less is shown for 100. */
const DELAYS = [50, 50, 120, 10, 500, 50, 300];
const SHOWN = [50, 50, 120, 100, 500, 50, 300];
const SECONDS = 1.17;
const WIDTH = 80;
const HEIGHT = 42;

/** Each frame one colour, with a hole on the left. */
const colourOf = (frame: number): [number, number, number] => [frame * 36, 255 - frame * 36, 128];

function frames(): Sharp {
  const pixels = Buffer.alloc(WIDTH * HEIGHT * DELAYS.length * 4);
  for (let i = 0; i < pixels.length / 4; i++) {
    const frame = Math.floor(i / (WIDTH * HEIGHT));
    pixels.set([...colourOf(frame), i % WIDTH < WIDTH / 4 ? 0 : 255], i * 4);
  }
  return sharp(pixels, { raw: { width: WIDTH, height: HEIGHT * DELAYS.length, channels: 4, pageHeight: HEIGHT } });
}

async function apng(): Promise<Buffer> {
  const files = await Promise.all(
    DELAYS.map(async (_, frame) => {
      const path = join(profiles, `frame-${frame}.png`);
      const { data, info } = await frames().raw().toBuffer({ resolveWithObject: true });
      const size = WIDTH * HEIGHT * 4;
      await sharp(data.subarray(frame * size, (frame + 1) * size), {
        raw: { width: WIDTH, height: HEIGHT, channels: info.channels },
      })
        .png()
        .toFile(path);
      return path;
    }),
  );
  const list = join(profiles, 'frames.txt');
  await writeFile(list, files.map((file, i) => `file '${file}'\nduration ${DELAYS[i]! / 1000}\n`).join(''));
  const out = join(profiles, 'made.apng');
  await run('ffmpeg', ['-v', 'error', '-f', 'concat', '-safe', '0', '-i', list, '-fps_mode', 'passthrough', '-enc_time_base', '1/100', '-f', 'apng', '-plays', '0', '-y', out]); // prettier-ignore
  return withDelays(await readFile(out), DELAYS);
}

/** ffmpeg rounds times and guesses the last one: each frame gets its own. PNG, third edition, 11.3.6.2. */
function withDelays(file: Buffer, delays: readonly number[]): Buffer {
  let chunk = 0;
  for (const milliseconds of delays) {
    chunk = file.indexOf('fcTL', chunk + 1);
    file.writeUInt16BE(milliseconds, chunk + 4 + 20);
    file.writeUInt16BE(1000, chunk + 4 + 22);
    file.writeUInt32BE(crc32(file.subarray(chunk, chunk + 4 + 26)), chunk + 4 + 26);
  }
  return file;
}

async function upload(key: string, bytes: Buffer, own: Partial<Job> = {}): Promise<Job> {
  const bucket = config.storage.uploadsBucket;
  await open.activities.store.putBytes(bucket, key, bytes, { contentType: 'image/gif' });
  const { etag } = await open.activities.store.stat(bucket, key);
  return jobOf({ bucket, key, etag }, { profile: 'loops', ...own });
}

const STARTED = '2026-01-01T00:00:00.000Z';
const environment = (): MockActivityEnvironment =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
const makeImage = (job: Job): Promise<ImageOutcome> =>
  environment().run(activities.image.makeImage as never, job as never, STARTED as never);
const makeLoop = (job: Job, loop: LoopPlan): Promise<Rendition> =>
  environment().run(activities.video.makeLoop as never, job as never, loop as never);
const publishImage = (job: Job, made: MadeImage, missing: MissingPart[] = []): Promise<ImageOutcome> =>
  environment().run(
    ...([activities.image.publishImage, job, STARTED, made, missing] as unknown as [never, never, never, never, never]),
  );

async function animated(job: Job) {
  const outcome = await makeImage(job);
  if (outcome.outcome !== 'animated') throw new Error(`it is ${outcome.outcome}`);
  return outcome;
}

async function outputs(job: Job): Promise<string[]> {
  const prefix = outputPrefix(job.assetId, job.generation);
  const names: string[] = [];
  for await (const { key } of open.activities.store.list(config.storage.mediaBucket, prefix)) names.push(key);
  return names.map((key) => key.slice(prefix.length)).sort();
}

async function saved(url: string, name: string): Promise<string> {
  const path = join(profiles, name);
  await writeFile(path, Buffer.from(await (await fetch(url)).arrayBuffer()));
  return path;
}

/** Milliseconds at which frames begin. */
const beginnings = (delays: readonly number[]): number[] =>
  delays.map((_, i) => delays.slice(0, i).reduce((sum, delay) => sum + delay, 0));

async function probe(file: string) {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_format', '-show_streams', '-show_packets', '-of', 'json', file]); // prettier-ignore
  return JSON.parse(stdout) as {
    streams: Record<string, unknown>[];
    packets: { pts_time: string }[];
    format: { duration: string };
  };
}

/** Colours of a frame: of its left edge, and of its middle. */
async function coloursOf(file: string, frame: number): Promise<[number[], number[]]> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, '-vf', `select=eq(n\\,${frame})`, '-frames:v', '1', '-fps_mode', 'passthrough', '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'], { encoding: 'buffer' }); // prettier-ignore
  const width = 60;
  const row = stdout.length / width / 3 / 2;
  const at = (x: number): number[] => [...stdout.subarray((Math.floor(row) * width + x) * 3).subarray(0, 3)];
  return [at(4), at(40)];
}

const close = (found: readonly number[], wanted: readonly number[], within: number): boolean =>
  found.every((value, i) => Math.abs(value - wanted[i]!) <= within);

describe.each<[string, () => Promise<Buffer>]>([
  ['GIF', () => frames().gif({ delay: DELAYS, loop: 0, colours: 64 }).toBuffer()],
  ['WebP', () => frames().webp({ delay: DELAYS, loop: 0, lossless: true }).toBuffer()],
  ['APNG', apng],
])('an animated %s', (kind, make) => {
  test('is published with an animation and loops that keep its times and are white where it is not', async () => {
    const job = await upload(`${kind}.gif`, await make());
    const { made, loops } = await animated(job);
    expect(loops).toEqual([
      { name: 'loop.mp4', format: 'mp4', width: 60, height: 32 },
      { name: 'loop.webm', format: 'webm', width: 60, height: 32 },
    ]);
    expect(made.image).toMatchObject({ width: WIDTH, height: HEIGHT, frames: DELAYS.length, hasAlpha: true });
    // Nobody sees anything of it yet.
    expect(await open.activities.catalogue.find(job.assetId)).toMatchObject({ state: 'processing', generation: 0 });

    const done = [await makeLoop(job, loops[0]!), await makeLoop(job, loops[1]!)];
    expect(done).toMatchObject([
      { name: 'loop.mp4', type: 'loop', mime: 'video/mp4', width: 60, height: 32 },
      { name: 'loop.webm', type: 'loop', mime: 'video/webm', width: 60, height: 32 },
    ]);
    for (const { duration } of done) expect(duration).toBeCloseTo(SECONDS);
    await publishImage(job, { ...made, renditions: [...made.renditions, ...done] });

    const row = await open.activities.catalogue.find(job.assetId);
    expect(row).toMatchObject({ state: 'ready', generation: 1, kind: 'image' });
    const { renditions, image, missing } = row!.document!;
    expect(missing).toBeUndefined();
    const names = ['animation.webp', 'loop.mp4', 'loop.webm', 'thumb.jpg', 'w80.png'];
    expect(renditions.map(({ name }) => name).sort()).toEqual(names);
    expect(await outputs(job)).toEqual(['asset.json', ...names.map((name) => `images/${name}`)]);
    const urlOf = (name: string): string => renditions.find((one) => one.name === name)!.url;
    expect(image!.picture).toContain(`srcset="${urlOf('animation.webp')}"`);

    const moving = await sharp(await saved(urlOf('animation.webp'), 'animation.webp'), { animated: true }).metadata();
    expect(moving).toMatchObject({ pages: DELAYS.length, delay: SHOWN, loop: 0, width: 60 });

    for (const name of ['loop.mp4', 'loop.webm']) {
      const file = await saved(urlOf(name), name);
      const { streams, packets, format } = await probe(file);
      expect(streams).toEqual([
        expect.objectContaining({ codec_type: 'video', pix_fmt: 'yuv420p', color_space: 'bt709' }),
      ]);
      expect(packets.map(({ pts_time }) => Math.round(Number(pts_time) * 1000))).toEqual(beginnings(SHOWN));
      expect(Number(format.duration)).toBeCloseTo(SECONDS, 2);
      for (const frame of [0, 4, 6]) {
        const [left, middle] = await coloursOf(file, frame);
        expect({ frame, left, white: close(left, [255, 255, 255], 12) }).toMatchObject({ white: true });
        expect({ frame, middle, close: close(middle, colourOf(frame), 16) }).toMatchObject({ close: true });
      }
    }
    // A player starts before it has all of an MP4: the index comes first.
    const mp4 = Buffer.from(await (await fetch(urlOf('loop.mp4'))).arrayBuffer());
    expect(mp4.indexOf('moov')).toBeLessThan(mp4.indexOf('mdat'));
  });
});

test('what is missing of an animation is named, and the rest is published, once', async () => {
  const job = await upload('partial.gif', await frames().gif({ delay: DELAYS }).toBuffer());
  const { made } = await animated(job);
  const missing = [{ name: 'loop.mp4', error: { code: 'TOOL_STALLED' as const, message: 'It took too long.' } }];
  const first = await publishImage(job, made, missing);
  expect(first).toMatchObject({ outcome: 'ready', missing, renditions: made.renditions });
  expect(await open.activities.catalogue.find(job.assetId)).toMatchObject({ state: 'partial', document: { missing } });
  expect((await outputs(job)).filter((name) => name.startsWith('work/'))).toEqual([]);
  // Its worker died before it could say so.
  expect(await publishImage(job, made, missing)).toEqual({ ...first, reader: 'earlier attempt' });
  expect((await open.activities.catalogue.history(job.assetId)).map(({ to }) => to)).toEqual(['processing', 'partial']);
});

test('of which no loops are asked for is published in one step', async () => {
  const job = await upload('one-step.gif', await frames().gif({ delay: DELAYS }).toBuffer(), { profile: 'no-loops' });
  expect(await makeImage(job)).toMatchObject({ outcome: 'ready' });
  expect(await open.activities.catalogue.find(job.assetId)).toMatchObject({ state: 'ready', generation: 1 });
});

test('a loop of which the frames are gone can not be made', async () => {
  const job = await upload('gone.gif', await frames().gif({ delay: DELAYS }).toBuffer());
  const { loops } = await animated(job);
  await open.activities.store.removePrefix(config.storage.mediaBucket, `${outputPrefix(job.assetId, 1)}work/`);
  expect(await failureOf(makeLoop(job, loops[0]!))).toMatchObject({ type: 'OBJECT_MISSING', nonRetryable: true });
});
