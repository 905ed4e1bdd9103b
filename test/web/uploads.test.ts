/** Uploads that are interrupted: by somebody's finger, by a server that dies, by a page that is loaded anew. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import getPort from 'get-port';
import type { Page } from 'playwright-core';

import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { openSite, openView, type Site } from './support.js';

jest.setTimeout(300_000);

const stack = useStack();
let dir: string;
let site: Site;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-web-uploads-'));
  const config = await stack.isolated({
    database: true,
    overrides: { scratch: { ...stack.config.scratch, dir: join(dir, 'scratch') } },
  });
  site = await openSite(config, await getPort());
}, 180_000);

afterAll(async () => {
  await site?.close();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const MIB = 1024 ** 2;

/** Bytes that are nothing, made in the page and dropped there. @returns their SHA-256 */
const dropNoise = (page: Page, name: string, mib: number): Promise<string> =>
  page.evaluate<string>(`(async () => {
    const data = new Uint8Array(${mib} * ${MIB});
    for (let at = 0; at < data.length; at += 65536) crypto.getRandomValues(data.subarray(at, at + 65536));
    const transfer = new DataTransfer();
    transfer.items.add(new File([data], ${JSON.stringify(name)}));
    for (const kind of ['dragenter', 'dragover', 'drop'])
      document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
    return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  })()`);

/** A line so slow that one can do something meanwhile. Bytes a second. */
async function slow(page: Page, uploadThroughput: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.emulateNetworkConditions', {
    ...{ offline: false, latency: 0, downloadThroughput: -1 },
    uploadThroughput,
  });
}

const FACTS = '.upload-facts';
/** Bytes of the upload that the server has. */
async function offset(page: Page): Promise<number> {
  const percent = await page.locator('.upload progress').first().getAttribute('value');
  return Number(percent ?? 0);
}
async function passes(page: Page, percent: number): Promise<void> {
  await until(`${percent} % are sent`, async () => (await offset(page)) > percent, 60_000);
}

test('goes on after a pause, after the death of the server, and after the page was loaded anew', async () => {
  const { page, troubles } = await openView(site);
  await slow(page, 6 * MIB);
  const sha256 = await dropNoise(page, 'noise.bin', 40);

  await passes(page, 15);
  await page.getByRole('button', { name: 'Pause noise.bin' }).click();
  await page.locator('.upload[data-phase="paused"]').waitFor();
  await page.getByRole('button', { name: 'Go on with noise.bin' }).click();

  await passes(page, 35);
  await site.killServer();
  await page.locator('.upload-reason', { hasText: 'can not be reached' }).waitFor();
  await site.startServer();

  await passes(page, 55);
  await page.reload();
  await slow(page, 6 * MIB);
  await page.locator('.upload[data-phase="sending"]').waitFor();
  await page.locator('.upload[data-phase="done"]').waitFor({ timeout: 120_000 });
  expect(await page.locator(FACTS).textContent()).toContain('Uploaded');

  const assets = await site.assets();
  expect(assets.map(({ fileName, bytes, sha256: hash }) => ({ fileName, bytes, hash }))).toEqual([
    { fileName: 'noise.bin', bytes: 40 * MIB, hash: sha256 },
  ]);
  expect(troubles).toEqual([]);
  await page.context().close();
});

test('one that is taken off the list is forgotten by the server', async () => {
  const { page } = await openView(site);
  await slow(page, 2 * MIB);
  await dropNoise(page, 'unwanted.bin', 30);
  await passes(page, 5);
  const gone = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await page.getByRole('button', { name: 'Cancel unwanted.bin' }).click();
  expect((await gone).status()).toBe(204);
  await page.reload();
  await page.getByRole('list', { name: 'Assets' }).waitFor();
  expect(await page.locator('.upload').count()).toBe(0);
  expect((await site.assets()).map(({ fileName }) => fileName)).not.toContain('unwanted.bin');
  await page.context().close();
});
