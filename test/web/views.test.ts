/**
 * Every view: whether everybody can use it (axe-core, WCAG 2.2 AA), what it weighs, whether it holds still, and how it
 * looks. Pictures go to `test/web/shots`, or to the folder that `SCREENSHOTS` names.
 */
import { createRequire } from 'node:module';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import pg from 'pg';
import type { BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';

import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { card, drop, holds, makeClip, makePicture, openSite, openView, PROFILE, type Site } from './support.js';

jest.setTimeout(600_000);

const SHOTS = process.env['SCREENSHOTS'] ?? join(import.meta.dirname, 'shots');
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PHONE = { width: 390, height: 844 };
const LONG = `${'a very long name that goes on and on, '.repeat(4)}and has no end in sight.mp4`;

const stack = useStack();
let dir: string;
let site: Site;
let database: string;
let axe: string;
/** By file name. */
const ids = new Map<string, string>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-views-'));
  await mkdir(SHOTS, { recursive: true });
  const profiles = join(dir, 'profiles');
  await mkdir(profiles);
  await writeFile(join(profiles, 'small.yaml'), PROFILE);
  const config = await stack.isolated({
    database: true,
    overrides: {
      scratch: { ...stack.config.scratch, dir: join(dir, 'scratch') },
      profiles: { dir: profiles },
      starter: { ...stack.config.starter, profile: 'small' },
    },
  });
  database = config.catalogue.url;
  site = await openSite(config, await getPort());
  axe = await readFile(AXE, 'utf8');
}, 180_000);

afterAll(async () => {
  await site?.close();
  await rm(dir, { recursive: true, force: true });
  process.stderr.write(`[web] pictures: ${SHOTS}\n`);
}, 60_000);

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Rules that are broken, each with where. */
async function violations(page: Page): Promise<string[]> {
  // Colours on their way are no colours yet.
  await holds(
    page,
    'document.getAnimations().every((one) => one.playState !== "running" || one.effect.getTiming().iterations === Infinity)',
  );
  await page.evaluate(`if (!window.axe) { ${axe} }`);
  return page.evaluate<string[]>(`axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html, any, all, none }) =>
      id + ': ' + html.slice(0, 160) + ' ' + [...any, ...all, ...none].map(({ message }) => message).join('; '))))`);
}

async function shoot(page: Page, name: string): Promise<void> {
  const png = await page.screenshot({ animations: 'disabled' });
  await sharp(png)
    .webp({ quality: 82 })
    .toFile(join(SHOTS, `${name}.webp`));
}

interface Look {
  readonly name: string;
  readonly options: BrowserContextOptions;
}
const LOOKS: readonly Look[] = [
  { name: 'desktop', options: {} },
  { name: 'dark', options: { colorScheme: 'dark' } },
  { name: 'phone', options: { viewport: PHONE, deviceScaleFactor: 2, hasTouch: true, reducedMotion: 'reduce' } },
];

async function fill(): Promise<void> {
  const film = await makeClip(join(dir, 'film.mp4'), 'testsrc2=size=256x144:rate=12:duration=12');
  const portrait = await makeClip(join(dir, 'portrait.mp4'), 'smptebars=size=144x256:rate=12:duration=4');
  const wide = await makePicture(join(dir, 'wide.png'), 'mandelbrot=size=1200x400');
  const tall = await makePicture(join(dir, 'tall.jpg'), 'gradients=size=600x900:seed=7');
  const carpet = await makePicture(join(dir, 'carpet.png'), 'sierpinski=size=640x480:type=carpet');
  const whole = await readFile(film);
  const cut = join(dir, 'cut.mp4');
  await writeFile(cut, whole.subarray(0, whole.length / 2));
  const files = {
    'film.mp4': film,
    [LONG]: portrait,
    'wide.png': wide,
    'tall.jpg': tall,
    'carpet.png': carpet,
    'cut short.mp4': cut,
  };
  for (const [name, path] of Object.entries(files)) await site.upload(path, name);
  for (const name of ['film.mp4', LONG, 'wide.png', 'tall.jpg'])
    ids.set(name, (await site.reaches(name, ['ready'])).id);
  ids.set('cut short.mp4', (await site.reaches('cut short.mp4', ['failed'])).id);
  await insert(`values
    ('a1', 'video', 'received', 0, 'just arrived.mov', 734003200, null),
    ('a2', 'video', 'processing', 0, 'interview.mkv', 91234567, null),
    ('a3', 'video', 'partial', 1, 'lecture.mp4', 91234567, 5405),
    ('a4', 'audio', 'ready', 1, 'song.flac', 31234567, 211),
    ('a5', 'video', 'cancelled', 0, 'draft.mp4', 1234567, null)`);
}

/** As many rows as one wants, of every state. */
const fillUp = (count: number): Promise<void> =>
  insert(`select n::text, 'video', (array['ready', 'partial', 'cancelled', 'failed'])[1 + n % 4],
    case when n % 4 < 2 then 1 else 0 end, 'clip ' || n || '.mp4', n * 1000, n % 5000
    from generate_series(1, ${count}) n`);

/** @param rows of (name, kind, state, generation, file name, bytes, duration), all older than what is there */
async function insert(rows: string): Promise<void> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  try {
    await client.query(
      `insert into assets (id, workflow_id, bucket, key, version, tenant, kind, state, begun, generation, file_name, bytes, duration, created_at)
       select substr(md5(name), 1, 24), 'none/' || name, 'uploads', 'none/' || name, '1', tenant, kind, state, 1, generation, file_name,
         bytes, duration, now() - row_number() over () * interval '1 minute' - interval '1 hour'
       from (${rows}) as wanted (name, kind, state, generation, file_name, bytes, duration),
         (select tenant from assets limit 1) as own`,
    );
  } finally {
    await client.end();
  }
}

async function look(
  path: string,
  view: string,
  { name, options }: Look,
  ready: (page: Page) => Promise<unknown>,
): Promise<void> {
  const { page, troubles } = await openView(site, path, options);
  await ready(page);
  // A phone shows all that there is without scrolling sideways.
  const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  expect(overflow).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
  await shoot(page, `${view}-${name}`);
  expect(troubles).toEqual([]);
  await page.context().close();
}

test.each(LOOKS)('nothing yet, $name', (own) => look('/', 'empty', own, (page) => page.locator('.nothing').waitFor()));

test('files of all kinds and states are there', fill);

describe.each(LOOKS)('$name', (own) => {
  test('nothing that matches', () =>
    look('/?q=nothing+at+all', 'no-match', own, (page) => page.locator('.nothing').waitFor()));

  test('the library', () =>
    look('/', 'library', own, async (page) => {
      await card(page, 'cut short.mp4').waitFor();
      await holds(page, `document.querySelectorAll('.thumb img[data-shown="true"]').length >= 4`);
    }));

  test('uploads of all kinds', async () => {
    const text = join(dir, 'notes.txt');
    await writeFile(text, 'These are notes.\n');
    await look('/', 'uploads', own, async (page) => {
      await card(page, 'cut short.mp4').waitFor();
      // The line breaks: nothing gets through, and nothing is lost.
      await page.route('**/v1/uploads', (route) => route.abort());
      await drop(page, [join(dir, 'tall.jpg'), text], [`tall ${LONG}`, 'notes.txt']);
      await page.locator('.upload[data-phase="refused"]').waitFor();
      await page.locator('.upload-reason', { hasText: 'can not be reached' }).waitFor();
    });
  });

  test('a video', () =>
    look(`/assets/${ids.get('film.mp4')}`, 'video', own, async (page) => {
      await page.locator('.history').waitFor();
      await holds(page, `document.querySelector('video')?.readyState >= 2`);
      await page.evaluate(`document.querySelector('video').currentTime = 6`);
      await holds(page, `!document.querySelector('video').seeking`);
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByLabel('Speed').waitFor();
    }));

  test('a long name', () =>
    look(`/assets/${ids.get(LONG)}`, 'long-name', own, (page) => page.locator('.history').waitFor()));

  test('a picture', () =>
    look(`/assets/${ids.get('wide.png')}`, 'picture', own, async (page) => {
      await page.locator('.palette').waitFor();
      await holds(page, `document.querySelector('.screen img').complete`);
    }));

  test('a failure', () =>
    look(`/assets/${ids.get('cut short.mp4')}`, 'failure', own, (page) => page.locator('.failure').waitFor()));

  test('what is not there', () =>
    look(`/assets/${'0'.repeat(24)}`, 'not-there', own, (page) => page.locator('.nothing').waitFor()));

  test('the embedded player', () =>
    look(`/embed/${ids.get('film.mp4')}`, 'embed', own, (page) =>
      holds(page, `document.querySelector('video')?.readyState >= 2`),
    ));
});

const KB = 1000;

test('what the page weighs before the player, and that it holds still while pictures arrive', async () => {
  const { page } = await openView(site, '/?kind=image');
  await page.context().route('**/*.webp*', async (route) => {
    // Long after the cards were drawn.
    await new Promise((resolve) => setTimeout(resolve, 400));
    await route.continue();
  });
  await page.reload();
  await holds(page, `document.querySelectorAll('.thumb img[data-shown="true"]').length >= 2`);
  const shift = await page.evaluate<number>(`new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (sum += value))).observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => resolve(sum), 500);
  })`);
  expect(shift).toBe(0);
  const painted = await page.evaluate<number>(`performance.getEntriesByName('first-contentful-paint')[0].startTime`);

  // All but the player: the library, an asset, an upload.
  await drop(page, [join(dir, 'tall.jpg')], ['weighed.jpg']);
  await page.locator('.upload[data-phase="done"]').waitFor({ timeout: 60_000 });
  await page.locator('a.card').first().click();
  await page.locator('.palette').waitFor();
  const scripts = await page.evaluate<{ name: string; encodedBodySize: number; decodedBodySize: number }[]>(
    `performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js')).map((entry) => entry.toJSON())`,
  );
  const sum = (of: 'encodedBodySize' | 'decodedBodySize'): number => scripts.reduce((all, one) => all + one[of], 0);
  process.stderr.write(
    `[web] first paint after ${Math.round(painted)} ms; ${scripts.length} scripts, ${sum('encodedBodySize')} bytes sent, ${sum('decodedBodySize')} as they are\n`,
  );
  expect(scripts.length).toBeGreaterThan(2);
  expect(scripts.some(({ name }) => name.includes('player'))).toBe(false);
  expect(sum('encodedBodySize')).toBeLessThanOrEqual(60 * KB);
  await page.context().close();
});

test('ten thousand assets: few are drawn, all can be reached, and places are kept', async () => {
  await fillUp(10_000);
  const { page, troubles } = await openView(site);
  await card(page, 'clip 1.mp4').first().waitFor();
  const cards = page.locator('a.card');
  let most = 0;
  const heights: number[] = [];
  for (let step = 0; step < 12; step += 1) {
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    const before = heights.at(-1) ?? 0;
    await until(
      'a further page',
      async () => (await page.evaluate<number>('document.documentElement.scrollHeight')) > before,
      30_000,
    );
    heights.push(await page.evaluate<number>('document.documentElement.scrollHeight'));
    most = Math.max(most, await cards.count());
  }
  expect(most).toBeLessThan(80);
  const top = await page.evaluate<number>('scrollY');
  const name = (await cards.nth(20).locator('.name').textContent())!;
  await cards.nth(20).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await page.goBack();
  await card(page, name).first().waitFor();
  expect(Math.abs((await page.evaluate<number>('scrollY')) - top)).toBeLessThan(400);
  await page.getByRole('searchbox').fill('clip 9876');
  await card(page, 'clip 9876.mp4').waitFor();
  expect(troubles).toEqual([]);
  await page.context().close();
});

test('everything is done by keyboard', async () => {
  const { page } = await openView(site);
  await page.locator('a.card').first().waitFor();
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
  await page.keyboard.press('/');
  await page.keyboard.type('film');
  await until('the film is found', async () => (await page.locator('a.card').count()) === 1, 20_000);
  await page.locator('a.card').focus();
  await page.keyboard.press('Enter');
  await holds(page, `document.querySelector('video')?.readyState >= 2`);
  await page.locator('.player').focus();
  const video = (what: string): Promise<number> =>
    page.evaluate<number>(`Number(document.querySelector('video').${what})`);
  await page.keyboard.press('5');
  await holds(page, `Math.abs(document.querySelector('video').currentTime - 6) < 1`);
  await page.keyboard.press('ArrowRight');
  await holds(page, `document.querySelector('video').currentTime > 10`);
  await page.keyboard.press('m');
  expect(await video('muted')).toBe(1);
  await page.keyboard.press('Shift+>');
  expect(await video('playbackRate')).toBe(1.25);
  await page.keyboard.press('k');
  expect(await video('paused')).toBe(0);
  await page.context().close();
});
