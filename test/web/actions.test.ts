/** All that one can do to files and assets by the page, in a real browser against the real servers. */
import { createServer, type Server } from 'node:http';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import pg from 'pg';
import type { BrowserContextOptions, Page } from 'playwright-core';

import type { Asset } from '../../src/api/assets/schemas.js';
import type { Config } from '../../src/config/index.js';
import { outputPrefix } from '../../src/contracts/assets.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { makeFilm } from '../support/film.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { card, drop, holds, makeClip, makePicture, openSite, openView, PROFILE, type Site } from './support.js';

jest.setTimeout(300_000);

const CLIP = 'testsrc2=size=160x90:rate=25:duration=3';
const CLIPBOARD: BrowserContextOptions = { permissions: ['clipboard-read', 'clipboard-write'] };

const stack = useStack();
let dir: string;
let site: Site;
let store: ObjectStore;
let config: Config;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-actions-'));
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
  site = await openSite(config, await getPort());
}, 180_000);

afterAll(async () => {
  await site?.close();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const whole = async (id: string): Promise<Asset> => (await (await site.get(`/v1/assets/${id}`)).json()) as Asset;
const badge = (page: Page, words: string) => page.locator('.asset-line .badge', { hasText: new RegExp(`^${words}$`) });
const uploads = (page: Page): Promise<string[]> => page.locator('.upload-name').allTextContents();

/** A folder as people have them: media, other things, and what systems leave there. */
async function makeFolder(name: string): Promise<string> {
  const folder = join(dir, name);
  await mkdir(join(folder, 'more', 'deeper'), { recursive: true });
  await mkdir(join(folder, '.git'));
  await makeClip(join(folder, `${name} clip.mp4`), CLIP);
  await makePicture(join(folder, 'more', `${name} picture.png`), `testsrc2=size=160x90`);
  await writeFile(join(folder, 'more', 'deeper', `${name} notes.txt`), 'These are notes.\n');
  for (const litter of ['.DS_Store', 'Thumbs.db', 'more/desktop.ini', '.git/HEAD'])
    await writeFile(join(folder, litter), 'litter\n');
  return folder;
}

async function folderArrives(page: Page, name: string): Promise<void> {
  const done = page.locator('.upload[data-phase="done"]');
  await until('both are uploaded', async () => (await done.count()) === 2, 60_000);
  await page.locator('.upload[data-phase="refused"]', { hasText: `${name} notes.txt` }).waitFor();
  expect((await uploads(page)).sort()).toEqual([`${name} clip.mp4`, `${name} notes.txt`, `${name} picture.png`]);
  await site.reaches(`${name} clip.mp4`, ['ready']);
  await site.reaches(`${name} picture.png`, ['ready']);
  await card(page, `${name} clip.mp4`).locator('img[data-shown="true"]').waitFor();
}

test('a folder that is chosen is uploaded with all that is media in it', async () => {
  const folder = await makeFolder('chosen');
  const { page, troubles } = await openView(site);
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Upload a folder' }).click();
  await (await choosing).setFiles(folder);
  await folderArrives(page, 'chosen');
  expect(troubles).toEqual([]);
  await page.context().close();
});

test('a folder that is dropped is walked through, too', async () => {
  const folder = await makeFolder('dropped');
  const { page, troubles } = await openView(site);
  const session = await page.context().newCDPSession(page);
  const drag = (type: 'dragEnter' | 'dragOver' | 'drop') =>
    session.send('Input.dispatchDragEvent', {
      type,
      ...{ x: 400, y: 400 },
      data: { items: [], files: [folder], dragOperationsMask: 1 },
    });
  const here = page.getByText('Drop to upload');
  // As a hand does: on, until the page shows that it would take it.
  await until(
    'the page offers to take it',
    async () => {
      await drag('dragEnter');
      await drag('dragOver');
      return here.isVisible();
    },
    30_000,
  );
  await drag('drop');
  await here.waitFor({ state: 'detached' });
  await folderArrives(page, 'dropped');
  expect(troubles).toEqual([]);
  await page.context().close();
});

test('a picture is pasted wherever one is; words are pasted as words', async () => {
  const png = await readFile(await makePicture(join(dir, 'pasted.png'), 'mandelbrot=size=160x90'));
  const { page, troubles } = await openView(site, '/', CLIPBOARD);
  await page.evaluate(`(async () => {
    const data = Uint8Array.from(atob('${png.toString('base64')}'), (letter) => letter.charCodeAt(0));
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': new Blob([data], { type: 'image/png' }) })]);
  })()`);
  await page.keyboard.press('Control+V');
  await page.locator('.upload[data-phase="done"]').waitFor({ timeout: 60_000 });
  const { image } = await site.reaches('image.png', ['ready']);
  expect(image).toMatchObject({ width: 160, height: 90 });

  await page.evaluate(`navigator.clipboard.writeText('image')`);
  const search = page.getByRole('searchbox');
  await search.focus();
  await page.keyboard.press('Control+V');
  expect(await search.inputValue()).toBe('image');
  await card(page, 'image.png').waitFor();
  expect(await uploads(page)).toEqual(['image.png']);
  expect(troubles).toEqual([]);
  await page.context().close();
});

/** Keys below the generation's prefix. */
async function outputs(id: string, generation: number): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(config.storage.mediaBucket, outputPrefix(id, generation))) keys.push(key);
  return keys;
}

async function plays(page: Page): Promise<void> {
  await page.locator('.big-play').click();
  await holds(page, `document.querySelector('video').currentTime > 0.2`, 60_000);
  await page.keyboard.press('k');
}

test('what is encoded is cancelled, processed again, repaired, and processed again while it plays', async () => {
  const name = 'again and again.mp4';
  const film = await makeFilm(join(dir, 'again.mp4'), { seconds: 24, fps: 25, width: 640, height: 360 });
  const { page, troubles } = await openView(site);
  const library = await openView(site);
  const reason = card(library.page, name).locator('.reason');
  await drop(page, [film], [name]);
  await page.locator('.upload[data-phase="done"]').getByRole('link', { name }).click();
  await page.locator('.strip').waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await badge(page, 'Cancelled').waitFor({ timeout: 60_000 });
  expect(await page.getByRole('alert').textContent()).toContain('Process it again whenever you like.');
  await reason.waitFor();
  const { id } = await site.reaches(name, ['cancelled']);
  // What is said of it stays.
  const kept = async (): Promise<string[]> => (await outputs(id, 1)).filter((key) => !key.endsWith('/asset.json'));
  await until('what was begun is taken back', async () => (await kept()).length === 0, 60_000);
  const button = (words: string) => page.getByRole('button', { name: words, exact: true });
  expect(await button('Repair').count()).toBe(0);

  // Nothing of it is known from the library when the page is opened here.
  await page.reload();
  await button('Process again').click();
  await button('Cancel').waitFor();
  await badge(page, 'Ready').waitFor({ timeout: 120_000 });
  expect(await whole(id)).toMatchObject({ state: 'ready', generation: 2 });
  await reason.waitFor({ state: 'detached' });
  await plays(page);

  await page.reload();
  const lines = page.locator('.history li');
  await button('Repair').waitFor();
  await lines.first().waitFor();
  const told = await lines.count();
  const before = await outputs(id, 2);
  const lost = before.find((key) => /\/video\/.*00001\.m4s$/.test(key))!;
  await store.remove(config.storage.mediaBucket, [lost]);
  await button('Repair').click();
  await page.getByRole('status').getByText('What is missing or at fault is made again.').waitFor();
  await until('the segment is back', async () => (await outputs(id, 2)).includes(lost), 120_000);
  // The page hears of it by itself.
  await until('the repair is told', async () => (await lines.count()) > told, 60_000);
  expect((await outputs(id, 2)).sort()).toEqual(before.sort());
  expect(await badge(page, 'Ready').count()).toBe(1);

  await button('Process again').click();
  await badge(page, 'Processing again').waitFor();
  await plays(page);
  await badge(page, 'Ready').waitFor({ timeout: 120_000 });
  expect(await whole(id)).toMatchObject({ state: 'ready', generation: 3 });
  await plays(page);
  expect([...troubles, ...library.troubles]).toEqual([]);
  await library.context.close();
  await page.context().close();
});

test('a new name and tags are kept, found, and seen by others who look on', async () => {
  const title = 'Summer <b>at</b> the sea';
  await site.upload(await makePicture(join(dir, 'named.png'), 'testsrc2=size=160x90'), 'DSC_0001.png');
  const { id } = await site.reaches('DSC_0001.png', ['ready']);
  const { page, troubles } = await openView(site, `/assets/${id}`);
  const other = await openView(site, `/assets/${id}`);
  await other.page.locator('.history').waitFor();
  const field = (name: string) => page.getByRole('textbox', { name, exact: true });
  const heading = (view: Page, name: string) => view.getByRole('heading', { level: 1, name, exact: true });

  await page.getByRole('button', { name: 'Rename' }).click();
  await field('Title').fill('never meant');
  await page.keyboard.press('Escape');
  await heading(page, 'DSC_0001.png').waitFor();
  await page.getByRole('button', { name: 'Rename' }).click();
  await field('Title').fill(`  ${title} `);
  await page.keyboard.press('Enter');
  await heading(page, title).waitFor();
  await until('the tab is named after it', async () => (await page.title()) === `${title} · Mediamill`, 10_000);
  await heading(other.page, title).waitFor();

  const tags = page.getByRole('list', { name: 'Tags' }).locator('li > span');
  const tag = async (word: string): Promise<void> => {
    const answer = page.waitForResponse((response) => response.request().method() === 'PATCH');
    await page.getByRole('button', { name: 'Add a tag' }).click();
    await field('New tag').fill(word);
    await page.keyboard.press('Enter');
    expect((await answer).status()).toBe(200);
  };
  const are = (...words: string[]) =>
    until(`tags: ${words.join()}`, async () => (await tags.allTextContents()).join() === words.join(), 10_000);
  await tag('beach');
  await are('beach');
  await tag('grandmother');
  await are('beach', 'grandmother');
  await tag('beach');
  await are('beach', 'grandmother');
  await page.getByRole('button', { name: 'Remove tag beach' }).click();
  await are('grandmother');
  await page.reload();
  await heading(page, title).waitFor();
  await are('grandmother');
  expect(await whole(id)).toMatchObject({ title, tags: ['grandmother'], fileName: 'DSC_0001.png' });

  for (const words of ['grandmother', 'summer sea', 'DSC_0001']) {
    await page.getByRole('searchbox').fill(words);
    await card(page, title).waitFor();
    await until(`${words} finds one`, async () => (await page.locator('a.card').count()) === 1, 10_000);
  }
  expect([...troubles, ...other.troubles]).toEqual([]);
  await other.context.close();
  await page.context().close();
});

/** Somebody else's page, of another origin. */
async function elsewhere(body: string): Promise<{ url: string; server: Server }> {
  const server = createServer((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html><body>${body}</body>`),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, server };
}

async function copied(page: Page, what: string): Promise<string> {
  await page.getByRole('button', { name: `Copy ${what}` }).click();
  await page.getByRole('status').getByText('Copied.').first().waitFor();
  const shown = (await page.getByRole('region', { name: what }).textContent())!;
  const held = () => page.evaluate<string>('navigator.clipboard.readText()');
  await until(`${what} is copied`, async () => (await held()) === shown, 10_000);
  return shown;
}

test('the original is downloaded as it was sent, and what is copied works in the pages of others', async () => {
  const name = 'Grüße vom See; 100 % „echt“.mp4';
  const clip = await makeClip(join(dir, 'original.mp4'), CLIP);
  await site.upload(clip, name);
  await site.upload(await makePicture(join(dir, 'shared.png'), 'mandelbrot=size=320x180'), 'shared.png');
  const video = await site.reaches(name, ['ready']);
  const picture = await site.reaches('shared.png', ['ready']);

  const { page, troubles } = await openView(site, `/assets/${video.id}`, CLIPBOARD);
  const coming = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download the original' }).click();
  const download = await coming;
  expect(download.suggestedFilename()).toBe(name);
  const target = join(dir, 'downloaded.mp4');
  await download.saveAs(target);
  expect((await readFile(target)).equals(await readFile(clip))).toBe(true);
  const frame = await copied(page, 'Player to embed');
  const hls = await copied(page, 'HLS');
  expect(await (await fetch(hls)).text()).toMatch(/^#EXTM3U/);

  await page.goto(`${site.url}/assets/${picture.id}`);
  const element = await copied(page, 'Picture element');
  expect(element).toMatch(/^<picture>/);
  expect(troubles).toEqual([]);
  await page.context().close();

  const { url, server } = await elsewhere(frame + element);
  try {
    const visitor = await site.browser.newPage();
    await visitor.goto(url);
    await visitor.locator('picture img').scrollIntoViewIfNeeded();
    await holds(visitor, `document.querySelector('picture img').naturalWidth > 0`);
    const player = visitor.frames().find((one) => one !== visitor.mainFrame())!;
    await until(
      'the player shows a picture',
      () => player.evaluate<boolean>(`document.querySelector('video')?.readyState >= 2`),
      60_000,
    );
    await visitor.close();
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const ROWS = 250;

/** @returns ids in the order of their places, all the way down */
async function scrollThrough(page: Page, count: number): Promise<string[]> {
  const seen = new Map<number, string>();
  await page.mouse.move(600, 500);
  await until(
    `${count} cards were seen`,
    async () => {
      const drawn = await page.evaluate<[number, string][]>(
        `[...document.querySelectorAll('ul.grid > li')].map((item) =>
          [Number(item.ariaPosInSet), item.firstElementChild.getAttribute('href').split('/').at(-1)])`,
      );
      for (const [place, id] of drawn) seen.set(place, id);
      await page.mouse.wheel(0, 500);
      return seen.size >= count;
    },
    60_000,
  );
  return [...seen.entries()].sort(([a], [b]) => a - b).map(([, id]) => id);
}

async function listed(query: string): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null | undefined = ''; cursor !== undefined && cursor !== null;) {
    const response = await site.get(
      `/v1/assets?limit=100&${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    const page = (await response.json()) as { items: Asset[]; next?: string | null };
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  }
  return ids;
}

test('one scrolls through all pages in their order, each asset once, also after one did not come', async () => {
  await site.upload(await makePicture(join(dir, 'first.png'), 'testsrc2=size=160x90'), 'first.png');
  await site.reaches('first.png', ['ready']);
  const client = new pg.Client({ connectionString: config.catalogue.url });
  await client.connect();
  try {
    await client.query(`
      insert into assets (id, workflow_id, bucket, key, version, tenant, kind, state, begun, generation, file_name, bytes, created_at)
      select substr(md5('row' || n), 1, 24), 'none/' || n, 'uploads', 'none/' || n, '1', tenant, 'audio', 'cancelled', 1, 0,
        'take ' || (n * 7919 % 100) || '.wav', n % 10, now() - n * interval '1 minute' - interval '1 hour'
      from generate_series(1, ${ROWS}) n, (select tenant from assets limit 1) as own`);
  } finally {
    await client.end();
  }
  const { page, troubles } = await openView(site);
  const cursors: string[] = [];
  page.on('request', (request) => {
    const cursor = new URL(request.url()).searchParams.get('cursor');
    if (cursor) cursors.push(cursor);
  });
  const newest = await listed('sort=newest');
  expect(newest.length).toBeGreaterThan(ROWS);
  await page.locator('a.card').first().waitFor();
  expect(await scrollThrough(page, newest.length)).toEqual(newest);
  // Each page was asked for once.
  expect(new Set(cursors).size).toBe(cursors.length);
  expect(cursors.length).toBe(Math.ceil(newest.length / 60) - 1);

  // Many have the same name; the line breaks once.
  await page.goto(`${site.url}/?kind=audio&sort=name`);
  const down = () => page.evaluate<number>('(scrollTo(0, document.documentElement.scrollHeight), scrollY)');
  await page.locator('a.card').first().waitFor();
  const first = await down();
  await until('the second page', async () => (await down()) > first + 500, 20_000);
  await page.route(
    (address) => address.searchParams.has('cursor'),
    (route) => route.abort(),
    { times: 1 },
  );
  await until('the line breaks', async () => (await down(), (await page.getByRole('alert').count()) > 0), 20_000);
  const trouble = page.getByRole('alert');
  expect(await trouble.textContent()).toContain('The server can not be reached.');
  const top = await page.evaluate<number>('scrollY');
  expect(top).toBeGreaterThan(first);
  await trouble.getByRole('button', { name: 'Try again' }).click();
  await trouble.waitFor({ state: 'detached' });
  expect(Math.abs((await page.evaluate<number>('scrollY')) - top)).toBeLessThan(200);
  await page.evaluate('scrollTo(0, 0)');
  const byName = await listed('kind=audio&sort=name');
  expect(byName).toHaveLength(ROWS);
  expect(await scrollThrough(page, ROWS)).toEqual(byName);
  expect(troubles).toEqual([]);
  await page.context().close();
});
