/** Poster and storyboard from the frames that chunks leave in the store: real store, real decoders. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import sharp from 'sharp';

import { createMakePoster } from '../../src/activities/image/make-poster.js';
import { createMakeStoryboard } from '../../src/activities/image/make-storyboard.js';
import type { Config } from '../../src/config/index.js';
import { outputPrefix, type Job } from '../../src/contracts/assets.js';
import type { StillsPlan, StoryboardPlan, VideoPlan } from '../../src/contracts/plan.js';
import type { Rendition } from '../../src/contracts/renditions.js';
import { createLogger } from '../../src/logging/index.js';
import { posterFrameKey, tileKey } from '../../src/media/video/layout.js';
import { openContext, type OpenContext } from '../../src/workers/context.js';
import { useStack } from '../support/stack.js';
import { failureOf } from '../tools/support.js';
import { jobOf } from '../support/job.js';

// Real decoders, on a machine that has other tests to run.
jest.setTimeout(60_000);

const stack = useStack();
let config: Config;
let open: OpenContext;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-stills-'));
  const overrides = { scratch: { dir }, workers: { imageConcurrency: 2 }, log: { level: 'error' as const } };
  config = await stack.isolated({ database: true, overrides });
  open = await openContext(config, createLogger(config.log), { tools: true });
}, 60_000);

afterAll(async () => {
  await open.close();
  expect(await readdir(dir)).toEqual([]);
  await rm(dir, { recursive: true });
});

type Make = (job: Job, plan: VideoPlan) => Promise<Rendition[]>;

function run(make: Make, job: Job, plan: VideoPlan): Promise<Rendition[]> {
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return environment.run<[Job, VideoPlan], Rendition[], Make>(make, job, plan);
}
const makePoster: Make = (job, plan) => run(createMakePoster(open.activities), job, plan);
const makeStoryboard: Make = (job, plan) => run(createMakeStoryboard(open.activities), job, plan);

let jobs = 0;
const newJob = (): Job =>
  jobOf(
    { bucket: config.storage.uploadsBucket, key: `film-${jobs++}.mp4`, etag: 'stills' },
    { tenant: 'acme', uploadedAt: '2026-01-01T00:00:00.000Z' },
  );

/** 25 fps. */
const planOf = (stills: StillsPlan, totalFrames: number): VideoPlan => ({
  ...{ v: 2, kind: 'video', stills, chunkSegments: 4, rungs: [], audio: [], subtitles: [], minSsim: 0 },
  facts: { container: 'mp4', duration: totalFrames / 25, seekable: true, audio: [], subtitles: [] },
  grid: { fps: { num: 25, den: 1 }, gopFrames: 50, segmentFrames: 100, totalFrames },
});

const put = (key: string, bytes: Buffer): Promise<void> =>
  open.activities.store.putBytes(config.storage.mediaBucket, key, bytes, { contentType: 'image/jpeg' });
const read = (job: Job, name: string): Promise<Buffer> =>
  open.activities.store.read(config.storage.mediaBucket, outputPrefix(job.assetId, 1) + name);

const WIDTH = 1280;
const HEIGHT = 720;

/** A picture with much to see, mostly of one colour so that the winner can be told. */
function scene(colour: string): Promise<Buffer> {
  const lines = Array.from({ length: 60 }, (_, i) => {
    const x = (i * 97) % WIDTH;
    const y = (i * 53) % HEIGHT;
    const grey = (i * 41) % 256;
    return `<circle cx="${x}" cy="${y}" r="${12 + (i % 20)}" fill="rgb(${grey},${grey},${grey})"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}"><rect width="100%" height="100%" fill="${colour}"/>${lines.join('')}</svg>`;
  return sharp(Buffer.from(svg)).jpeg().toBuffer();
}

const plain = (background: string, width = WIDTH, height = HEIGHT): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background } })
    .jpeg()
    .toBuffer();

async function colourAt(bytes: Buffer, x: number, y: number): Promise<[number, number, number]> {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  const at = (y * info.width + x) * info.channels;
  return [data[at]!, data[at + 1]!, data[at + 2]!];
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe('a poster', () => {
  const frames = [10, 20, 30, 40, 50, 60];
  const TEAL = [0, 128, 128];
  const plan = planOf({ posterFrames: frames }, 250);

  async function postered(pictures: Record<number, Buffer>): Promise<Buffer> {
    const job = newJob();
    for (const [frame, bytes] of Object.entries(pictures)) await put(posterFrameKey(job, Number(frame)), bytes);
    const made = await makePoster(job, plan);
    expect(made.map(({ thumbHash }) => thumbHash)).toEqual(
      made.map(() => expect.stringMatching(/^[A-Za-z0-9+/]{7,}=*$/)),
    );
    expect(made).toMatchObject([
      { name: 'poster.jpg', type: 'poster', width: 1280, height: 720, mime: 'image/jpeg' },
      { name: 'poster-640.webp', type: 'poster', width: 640, height: 360, mime: 'image/webp' },
      { name: 'poster-640.jpg', type: 'poster', width: 640, height: 360, mime: 'image/jpeg' },
    ]);
    return read(job, 'images/poster.jpg');
  }

  test('is none of the frames that are black, white, empty, dark or blurred', async () => {
    const good = await scene('teal');
    const dark = await sharp(await scene('red'))
      .linear(0.12, 0)
      .jpeg()
      .toBuffer();
    const blurred = await sharp(await scene('purple'))
      .blur(14)
      .jpeg()
      .toBuffer();
    const poster = await postered({
      ...{ 10: await plain('black'), 20: blurred, 30: await plain('white') },
      ...{ 40: dark, 50: good, 60: await plain('olive') },
    });
    expect(distance(await colourAt(poster, 40, 700), TEAL)).toBeLessThan(12);
  });

  test('is the first of those that are as good', async () => {
    const poster = await postered({
      ...{ 10: await plain('black'), 20: await scene('teal') },
      ...{ 30: await scene('#5a5a5a'), 40: await scene('#5a5a5a') },
    });
    expect(distance(await colourAt(poster, 40, 700), TEAL)).toBeLessThan(12);
  });

  test('is what there is, however little that shows', async () => {
    const poster = await postered({ 20: await plain('black') });
    expect(distance(await colourAt(poster, 640, 360), [0, 0, 0])).toBeLessThan(3);
  });

  test('of a source that ended before the first candidate is its first tile', async () => {
    const job = newJob();
    await put(tileKey(job, 0), await plain('teal', 160, 90));
    const made = await makePoster(job, plan);
    expect(made.map(({ name, width }) => [name, width])).toEqual([
      ['poster.jpg', 160],
      ['poster-160.webp', 160],
      ['poster-160.jpg', 160],
    ]);
  });

  test('is refused where no frame was kept', async () => {
    expect(await failureOf(makePoster(newJob(), plan))).toMatchObject({ type: 'VERIFY_FAILED' });
  });
});

describe('a storyboard', () => {
  const TILE = { tileWidth: 32, tileHeight: 18 };
  const board = (format: 'jpeg' | 'webp'): StoryboardPlan => ({
    ...{ intervalFrames: 50, tiles: 23, ...TILE, columns: 5, rows: 4, format },
  });
  const TOTAL = 22 * 50 + 10;
  const colourOf = (tile: number): [number, number, number] => [tile * 11, 255 - tile * 11, (tile % 2) * 200];

  async function withTiles(tiles: readonly number[]): Promise<Job> {
    const job = newJob();
    for (const tile of tiles) {
      const [r, g, b] = colourOf(tile);
      await put(tileKey(job, tile), await plain(`rgb(${r},${g},${b})`, TILE.tileWidth, TILE.tileHeight));
    }
    return job;
  }

  /** Follows the WebVTT as a player does. @returns of every cue its times and the colour in the middle of its picture */
  async function follow(job: Job) {
    const text = (await read(job, 'storyboard/storyboard.vtt')).toString();
    const [head, ...cues] = text.trimEnd().split('\n\n');
    expect(head).toBe('WEBVTT');
    return Promise.all(
      cues.map(async (cue) => {
        const found =
          /^(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})\n(.+)#xywh=(\d+),(\d+),(\d+),(\d+)$/.exec(cue);
        const [start, end] = [1, 4].map(
          (i) => Number(found![i]) * 3600 + Number(found![i + 1]) * 60 + Number(found![i + 2]),
        );
        const [x, y, width, height] = [8, 9, 10, 11].map((i) => Number(found![i]));
        expect({ width, height }).toEqual({ width: 32, height: 18 });
        const colour = await colourAt(await read(job, `storyboard/${found![7]}`), x! + 16, y! + 9);
        return { start, end, colour };
      }),
    );
  }

  const all = Array.from({ length: 23 }, (_, i) => i);

  test.each(['jpeg', 'webp'] as const)('in %s shows every tile at its place and time', async (format) => {
    const job = await withTiles(all);
    const made = await makeStoryboard(job, planOf({ posterFrames: [1], storyboard: board(format) }, TOTAL));
    const extension = format === 'jpeg' ? 'jpg' : 'webp';
    const sheets = [`storyboard/sheet-000.${extension}`, `storyboard/sheet-001.${extension}`];
    const files = await Promise.all([...sheets, 'storyboard/storyboard.vtt'].map((name) => read(job, name)));
    expect(made).toEqual([
      {
        ...{ name: 'storyboard', type: 'storyboard', mime: 'text/vtt', width: 32, height: 18 },
        key: `${outputPrefix(job.assetId, 1)}storyboard/storyboard.vtt`,
        bytes: files.reduce((sum, { length }) => sum + length, 0),
      },
    ]);
    expect(await sharp(files[0]).metadata()).toMatchObject({ format, width: 160, height: 72 });
    expect(await sharp(files[1]).metadata()).toMatchObject({ format, width: 160, height: 18 });

    const cues = await follow(job);
    expect(cues.map(({ start, end }) => [start, end])).toEqual(all.map((i) => [i * 2, i === 22 ? 44.4 : i * 2 + 2]));
    for (const [i, { colour }] of cues.entries()) expect(distance(colour, colourOf(i))).toBeLessThan(16);
  });

  test('fills what is missing with the tile before, at the start with the first that is there', async () => {
    const job = await withTiles([2, 3, 6, 22]);
    await makeStoryboard(job, planOf({ posterFrames: [1], storyboard: board('jpeg') }, TOTAL));
    const shown = [2, 2, 2, 3, 3, 3, ...Array<number>(16).fill(6), 22];
    for (const [i, { colour }] of (await follow(job)).entries())
      expect(distance(colour, colourOf(shown[i]!))).toBeLessThan(16);
  });

  test('ends where the source ended', async () => {
    const job = await withTiles([0, 1, 2]);
    await makeStoryboard(job, planOf({ posterFrames: [1], storyboard: board('jpeg') }, TOTAL));
    const cues = await follow(job);
    expect(cues.map(({ end }) => end)).toEqual([2, 4, 6]);
    expect(await sharp(await read(job, 'storyboard/sheet-000.jpg')).metadata()).toMatchObject({ height: 18 });
  });

  test('is not made where none is planned, and refused where no tile was kept', async () => {
    const job = newJob();
    expect(await makeStoryboard(job, planOf({ posterFrames: [1] }, TOTAL))).toEqual([]);
    const failure = await failureOf(
      makeStoryboard(job, planOf({ posterFrames: [], storyboard: board('jpeg') }, TOTAL)),
    );
    expect(failure).toMatchObject({ type: 'VERIFY_FAILED' });
  });
});
