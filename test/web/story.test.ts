/**
 * What the page is for, in a real browser against the real servers: a film is dropped, plays while it is encoded, is
 * found again, and is gone when it is deleted.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import type { Page } from 'playwright-core';

import { createKey } from '../../src/api/keys.js';
import { connect } from '../../src/catalogue/database.js';
import type { Config } from '../../src/config/index.js';
import { merge } from '../../src/local/addresses.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { BITS, makeFilm, type Film } from '../support/film.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { startProcess } from '../support/worker.js';
import { card, drop, holds, makeClip, openSite, openView, PROFILE, RUNGS, type Site } from './support.js';

jest.setTimeout(600_000);

const FILM: Film = { seconds: 60, fps: 12, width: 256, height: 144 };
const stack = useStack();
let dir: string;
let site: Site;
let store: ObjectStore;
let buckets: readonly string[];
let config: Config;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-web-'));
  const profiles = join(dir, 'profiles');
  await mkdir(profiles);
  await writeFile(join(profiles, 'small.yaml'), PROFILE);
  config = await stack.isolated({
    database: true,
    overrides: {
      scratch: { ...stack.config.scratch, dir: join(dir, 'scratch') },
      profiles: { dir: profiles },
      starter: { ...stack.config.starter, profile: 'small' },
    },
  });
  store = createObjectStore(config.storage);
  buckets = [config.storage.uploadsBucket, config.storage.mediaBucket];
  site = await openSite(config, await getPort());
}, 180_000);

afterAll(async () => {
  await site?.close();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

/** The number in the blocks at the top of the picture, and what the player says of the moment. */
const FRAME = `(() => {
  const video = document.querySelector('video');
  const canvas = document.createElement('canvas');
  canvas.width = ${BITS * 8};
  canvas.height = 8;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 6, 0, 0, canvas.width, 8);
  const { data } = context.getImageData(0, 4, canvas.width, 1);
  let frame = 0;
  for (let bit = 0; bit < ${BITS}; bit += 1) if (data[(bit * 8 + 4) * 4] > 128) frame += 2 ** bit;
  return { frame, time: video.currentTime, seeking: video.seeking, height: video.videoHeight };
})()`;
interface Shown {
  readonly frame: number;
  readonly time: number;
  readonly seeking: boolean;
  readonly height: number;
}
const shown = (page: Page): Promise<Shown> => page.evaluate<Shown>(FRAME);

async function objects(assetId: string): Promise<string[]> {
  const keys: string[] = [];
  for (const bucket of buckets) {
    for await (const { key } of store.list(bucket, '')) {
      if (bucket === buckets[0] || key.includes(assetId)) keys.push(`${bucket}/${key}`);
    }
  }
  return keys;
}

test('a film is dropped, plays while it is encoded, is found, and is gone when it is deleted', async () => {
  const path = await makeFilm(join(dir, 'holiday at the lake.mp4'), FILM);
  const { page, troubles } = await openView(site);
  await page.getByRole('heading', { name: 'Drop your first file' }).waitFor();
  await drop(page, [path]);

  const done = page.locator('.upload[data-phase="done"]');
  await done.waitFor({ timeout: 60_000 });
  const uploaded = Date.now();
  await done.getByRole('link', { name: 'holiday at the lake.mp4' }).click();
  const play = page.locator('.big-play');
  await play.waitFor({ timeout: 120_000 });
  await play.click();
  await holds(page, `document.querySelector('video').currentTime > 0.2`, 120_000);
  process.stderr.write(`[web] playing ${((Date.now() - uploaded) / 1000).toFixed(1)} s after the end of the upload\n`);
  const id = page.url().split('/').at(-1)!;
  const early = (await (await site.get(`/v1/assets/${id}`)).json()) as { state: string };
  expect(['processing', 'playable']).toContain(early.state);

  // The whole seek bar is there from the start.
  const bar = page.getByRole('slider', { name: 'Position' });
  expect(Number(await bar.getAttribute('max'))).toBeCloseTo(FILM.seconds, 0);
  await page.keyboard.press('k');
  expect(await page.evaluate(`document.querySelector('video').paused`)).toBe(true);
  await page.evaluate(`document.querySelector('video').currentTime = 50`);
  const there = await until50(page);
  expect(Math.abs(there.frame - there.time * FILM.fps)).toBeLessThanOrEqual(1.5);
  // Which segments there are is told for every rung, and for the sound.
  const strips = page.locator('.strip svg');
  await until('a strip for each rung', async () => (await strips.count()) >= RUNGS.length + 1, 20_000);

  await site.reaches('holiday at the lake.mp4', ['ready']);
  await page.locator('.asset-line .badge', { hasText: 'Ready' }).waitFor();
  await page.getByRole('button', { name: 'Settings' }).click();
  const quality = page.getByRole('combobox', { name: 'Quality' });
  for (const height of RUNGS) {
    await quality.selectOption({ label: `${height}p` });
    await page.evaluate(`document.querySelector('video').currentTime = ${5 + height / 10}`);
    await holds(page, `document.querySelector('video').videoHeight === ${height}`, 60_000);
  }
  await quality.selectOption('-1');
  await page.getByRole('combobox', { name: 'Subtitles' }).selectOption({ index: 1 });
  await page.getByRole('combobox', { name: 'Sound' }).selectOption({ index: 1 });
  await bar.hover();
  await page.locator('.preview .tile img').waitFor();

  await page.getByRole('link', { name: 'Library' }).click();
  await page.getByRole('searchbox').fill('lake');
  await card(page, 'holiday at the lake.mp4').waitFor();
  await page.getByRole('searchbox').fill('mountain');
  await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
  await page.getByRole('searchbox').fill('');
  await card(page, 'holiday at the lake.mp4').click();

  // Taken back, then meant.
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await card(page, 'holiday at the lake.mp4').click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { name: 'Drop your first file' }).waitFor();
  await until('nothing is left in the store', async () => (await objects(id)).length === 0, 90_000);
  expect(await site.assets()).toEqual([]);
  expect((await site.get(`/v1/assets/${id}`)).status).toBe(410);
  expect(troubles).toEqual([]);
  await page.context().close();
});

async function until50(page: Page): Promise<Shown> {
  let now: Shown | undefined;
  await until(
    'the frame of 50 s',
    async () => {
      now = await shown(page);
      return !now.seeking && Math.abs(now.time - 50) < 0.1 && Math.abs(now.frame - 50 * FILM.fps) < 3;
    },
    120_000,
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: ${JSON.stringify(now)}`);
  });
  return now!;
}

test('what the server would refuse is refused before it is sent, in its own words', async () => {
  const text = join(dir, 'notes.mp4');
  await writeFile(text, 'These are notes.\n');
  const { page, troubles } = await openView(site);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await drop(page, [text]);
  const row = page.locator('.upload[data-phase="refused"]');
  await row.waitFor();
  expect(await row.textContent()).toContain('This type of file can not be processed. It is text.');
  expect(asked).not.toContain('POST /v1/uploads');
  expect(troubles).toEqual([]);
  await page.context().close();
});

test('a file that fails says what is wrong with it, and what can be done', async () => {
  const whole = await readFile(await makeClip(join(dir, 'clip.mp4'), 'testsrc2=size=320x180:rate=25:duration=4'));
  const cut = join(dir, 'cut short.mp4');
  await writeFile(cut, whole.subarray(0, whole.length / 2));
  const { page, troubles } = await openView(site);
  await drop(page, [cut]);
  const { error } = await site.reaches('cut short.mp4', ['failed']);
  await card(page, 'cut short.mp4').click();
  const failure = page.getByRole('alert');
  await failure.waitFor();
  const words = await failure.textContent();
  expect(words).toContain(error!.message);
  expect(words).toContain('Upload the original file');
  expect(troubles).toEqual([]);
  await page.context().close();
});

test('a name is a name, whatever is in it', async () => {
  const name = '<img src=x onerror="document.title=1;window.owned=1">.mp4';
  const clip = await makeClip(join(dir, 'plain.mp4'), 'testsrc2=size=320x180:rate=25:duration=2');
  const { page, troubles } = await openView(site);
  await drop(page, [clip], [name]);
  await page.locator('.upload[data-phase="done"]').waitFor({ timeout: 60_000 });
  await site.reaches(name, ['ready']);
  await page.getByRole('searchbox').fill('onerror');
  await card(page, name).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  expect(await page.title()).toBe(`${name} · Mediamill`);
  expect(await page.evaluate('window.owned')).toBeUndefined();
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect(await page.locator('pre').first().textContent()).toContain('&#60;img');
  const { items } = (await (await site.get('/v1/assets?q=onerror')).json()) as { items: { id: string }[] };
  const embedded = await openView(site, `/embed/${items[0]!.id}`);
  await holds(embedded.page, `document.querySelector('video')?.readyState > 1`, 30_000);
  expect([...troubles, ...embedded.troubles]).toEqual([]);
  await embedded.context.close();
  await page.context().close();
});

test('where keys are on, the page asks for one, shows pictures and plays with it; a link to a player needs a token', async () => {
  const name = 'for members only.mp4';
  await site.upload(await makeClip(join(dir, 'members.mp4'), 'testsrc2=size=320x180:rate=25:duration=3'), name);
  const { id } = await site.reaches(name, ['ready']);
  const db = connect(config.catalogue);
  const { key } = await createKey(db, { tenant: config.starter.tenant, name: 'page', scopes: ['read', 'write'] });
  await db.destroy();
  const http = { auth: 'keys' as const, tokenSecret: 'a secret of a test, long enough for it', port: await getPort() };
  const guarded = await startProcess('starters/http/main.js', merge(config, { http }), 'http server ready');
  const members: Site = { ...site, url: `http://127.0.0.1:${http.port}` };
  try {
    const { page, troubles } = await openView(members);
    const field = page.getByLabel('API key');
    await field.fill(`mm_${'0'.repeat(16)}_${'a'.repeat(43)}`);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('alert').waitFor();
    await field.fill(key);
    await page.getByRole('button', { name: 'Open' }).click();
    await card(page, name).locator('img[data-shown="true"]').waitFor();
    await card(page, name).click();
    await page.locator('.big-play').click();
    await holds(page, `document.querySelector('video').currentTime > 0.2`, 60_000);
    expect(troubles).toEqual([]);
    await page.context().close();

    const stranger = await openView(members, `/embed/${id}`);
    await stranger.page.getByRole('alert').waitFor();
    await stranger.context.close();
    const answer = await fetch(`${members.url}/v1/assets/${id}/playback-token`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: '{}',
    });
    const { token } = (await answer.json()) as { token: string };
    const invited = await openView(members, `/embed/${id}?token=${token}`);
    await holds(invited.page, `document.querySelector('video')?.readyState >= 2`, 60_000);
    expect(invited.troubles).toEqual([]);
    await invited.context.close();
  } finally {
    guarded.kill('SIGTERM');
    await guarded.exited;
  }
});
