/**
 * Real players on the real pipeline: while a video is encoded and afterwards, it plays from the first frame
 * to the last one, and wherever one seeks to, in every rung, with every sound and with subtitles.
 *
 * Leaves a picture of each step in `test/players/shots`.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';

import { PlaybackTokens } from '../../src/api/playback/tokens.js';
import type { Catalogue } from '../../src/catalogue/catalogue.js';
import { createCatalogue } from '../../src/catalogue/postgres.js';
import { connectTemporal, type OpenClient } from '../../src/client/connection.js';
import type { Config } from '../../src/config/schema.js';
import type { AssetState, Job } from '../../src/contracts/assets.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { TOKEN_SECRET } from '../support/api.js';
import { openBrowser } from '../support/browser.js';
import { makeFilm, type Film } from '../support/film.js';
import { servePages, type PageServer } from '../support/page-server.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';
import { jobOf } from '../support/job.js';

jest.setTimeout(300_000);

const FILM: Film = { seconds: 36, fps: 25, width: 854, height: 480 };
const SHOTS = join(import.meta.dirname, 'shots');

interface Note {
  readonly at: number;
  readonly time: number;
  readonly kind: string;
  readonly detail: unknown;
  readonly during: string | null;
}
interface Shown {
  readonly frame: number;
  readonly mediaTime: number;
  /** Milliseconds after it was shown its picture was read. */
  readonly late: number;
  readonly height: number;
}
/** `window.player` of page/page.mjs, from outside the page. */
interface Player {
  open(kind: Kind, url: string): Promise<{ firstFrameMs: number; heights: number[]; duration: number }>;
  seek(time: number): Promise<Shown & { ms: number }>;
  playUntil(time: number, ms: number): Promise<void>;
  playToEnd(ms: number): Promise<number>;
  pick(height: number | undefined, ms: number): Promise<void>;
  sounds(): Promise<string[]>;
  pickSound(lang: string): Promise<void>;
  texts(): Promise<string[]>;
  pickText(lang: string): Promise<{ text: string; time: number }>;
  rate(rate: number): Promise<void>;
  takeShown(): Promise<Shown[]>;
  log(): Promise<Note[]>;
  close(): Promise<void>;
}

const KINDS = ['hls.js', 'shaka-player'] as const;
type Kind = (typeof KINDS)[number];
const ENTRY = { 'hls.js': 'master.m3u8', 'shaka-player': 'manifest.mpd' } as const;

const stack = useStack();
let dir: string;
let config: Config;
let store: ObjectStore;
let catalogue: Catalogue;
let client: OpenClient;
let processes: OwnProcess[] = [];
let http: string;
let film: string;
let browser: Browser;
let pages: PageServer;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-players-'));
  await mkdir(SHOTS, { recursive: true });
  film = await makeFilm(join(dir, 'film.mp4'), FILM);
  config = await stack.isolated({
    overrides: {
      scratch: { ...stack.config.scratch, dir: join(dir, 'scratch') },
      // As it is where others can reach it: players carry a token, and the store lets in signed URLs only.
      http: { ...stack.config.http, port: 0, auth: 'keys', tokenSecret: TOKEN_SECRET },
    },
  });
  store = createObjectStore(config.storage);
  catalogue = createCatalogue(config.catalogue);
  client = await connectTemporal(config.temporal);
  processes = await Promise.all([
    startProcess('workers/all.js', config, 'worker ready'),
    startProcess('starters/http/main.js', config, 'http server ready'),
  ]);
  const ready = processes[1]!.log.find((line) => line.includes('http server ready'))!;
  http = (JSON.parse(ready) as { address: string }).address;
  pages = await servePages();
  browser = await openBrowser();
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await pages?.close();
  for (const one of processes) one.kill('SIGTERM');
  await Promise.all(processes.map(({ exited }) => exited));
  await client?.close();
  await catalogue?.close();
  await rm(dir, { recursive: true, force: true });
  process.stderr.write(`[players] pictures: ${SHOTS}\n`);
}, 60_000);

async function begin(name: string): Promise<Job> {
  const { uploadsBucket: bucket } = config.storage;
  await store.putFile(bucket, name, film, { contentType: 'video/mp4' });
  const { etag } = await store.stat(bucket, name);
  const job = jobOf({ bucket, key: name, etag });
  await client.temporal.workflow.start('processVideo', {
    taskQueue: config.queues.media,
    workflowId: job.workflowId,
    args: [job, config.queues],
  });
  return job;
}

async function ticket({ assetId, tenant }: Job, file: string): Promise<string> {
  const expiresAt = new Date(Date.now() + 3_600_000);
  const token = await new PlaybackTokens(TOKEN_SECRET).sign({ assetId, tenant, expiresAt });
  return `${http}/v1/assets/${assetId}/play/${file}?token=${token}`;
}

const stateOf = async ({ assetId }: Job): Promise<AssetState | undefined> => (await catalogue.find(assetId))?.state;

async function reaches(job: Job, states: readonly AssetState[], ms: number): Promise<void> {
  await until(
    `${states.join(' or ')}\n${processes.flatMap(({ log }) => log.slice(-15)).join('\n')}`,
    async () => {
      const state = await stateOf(job);
      if (state === 'failed' || (state === 'partial' && !states.includes(state))) {
        throw new Error(`${state}: ${JSON.stringify(await catalogue.find(job.assetId))}`);
      }
      return state !== undefined && states.includes(state);
    },
    ms,
  );
}

/** A page with the player's functions as functions of ours. */
async function openPage(): Promise<{ page: Page; player: Player; problems: string[] }> {
  const page = await browser.newPage({ viewport: { width: 640, height: 360 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(pages.url);
  await page.waitForFunction('window.player');
  const player = new Proxy({} as Player, {
    get:
      (_target, name) =>
      (...args: unknown[]) =>
        page.evaluate(
          `window.player.${String(name)}(${args.map((arg) => JSON.stringify(arg) ?? 'undefined').join(', ')})`,
        ),
  });
  return { page, player, problems };
}

/** A picture stands for so long only when something is wrong. Milliseconds. */
const STALL = 1_000;

/** What players write down of their own doings, and what they are told: a request that a seek made useless, to ask again. */
const USUAL = ['switched', 'retry', 'aborted'];

/** What no viewer should meet who neither seeks nor chooses. */
const troubles = (log: readonly Note[]): Note[] =>
  log.filter(({ kind, detail, during }) =>
    kind === 'waited' ? Number(detail) > STALL : during === null && !USUAL.includes(kind),
  );

/** The burned-in number is the one that the time says. A picture that was read late may be of a frame that came meanwhile. */
function isRight({ frame, mediaTime, late }: Shown): boolean {
  const ahead = frame - mediaTime * FILM.fps;
  return ahead >= -1 && ahead <= 1 + (Math.max(0, late) / 1000) * FILM.fps;
}

function expectRightFrames(shown: readonly Shown[]): void {
  expect(shown.filter((one) => !isRight(one))).toEqual([]);
}

const SEEKS = [28, 5, 33, 17.5, 23];

async function watchAll(kind: Kind, job: Job, when: string): Promise<void> {
  const { page, player, problems } = await openPage();
  const shot = async (what: string): Promise<void> => {
    await page.screenshot({ path: join(SHOTS, `${kind} ${when} ${what}.png`) });
  };
  try {
    const opened = await player.open(kind, await ticket(job, ENTRY[kind]));
    await shot('start');
    expect(opened.duration).toBeCloseTo(FILM.seconds, 1);
    const heights = [...opened.heights].sort((a, b) => a - b);
    expect(heights.length).toBeGreaterThan(1);
    await player.playUntil(6, 30_000);
    const first = await player.takeShown();
    expect(first[0]!.frame).toBeLessThan(FILM.fps);
    expectRightFrames(first);

    for (const time of SEEKS) {
      const there = await player.seek(time);
      expectRightFrames([there]);
      await shot(`seek ${time}`);
    }
    for (const [i, height] of heights.entries()) {
      // With room to the end: players change over where they have not loaded yet.
      await player.seek(3 + 5 * i);
      await player.pick(height, 60_000);
      await shot(`${height}p`);
    }
    await player.pick(undefined, 0);
    await player.seek(8);
    for (const lang of await player.sounds()) await player.pickSound(lang);
    expect(new Set(await player.sounds())).toEqual(new Set(['en', 'fr']));
    expect(await player.texts()).toEqual(['en']);
    const cue = await player.pickText('en');
    expect(cue.text).toBe(`second ${Math.floor(cue.time)}`);
    await shot('subtitles');
    await player.playToEnd(120_000);
    const shown = await player.takeShown();
    expectRightFrames(shown);
    expect(shown.at(-1)!.frame).toBeGreaterThanOrEqual(FILM.seconds * FILM.fps - 2);
    await shot('end');
    expect(troubles(await player.log())).toEqual([]);
    expect(problems).toEqual([]);
  } catch (error) {
    await shot('trouble');
    throw new Error(`${kind}, ${when}: ${(error as Error).message}\n${JSON.stringify(await player.log())}`, {
      cause: error,
    });
  } finally {
    await player.close();
    await page.close();
  }
}

describe.each(KINDS)('%s', (kind) => {
  let job: Job;

  test('plays what is being encoded, from the first word that there will be a video', async () => {
    job = await begin(`${kind}.mp4`);
    await reaches(job, ['processing', 'playable', 'ready'], 60_000);
    await watchAll(kind, job, 'growing');
  });

  test('plays what is published', async () => {
    await reaches(job, ['ready'], 200_000);
    await watchAll(kind, job, 'published');
  });
});
