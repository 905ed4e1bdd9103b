/** The whole service as processes of its own, and a browser on its page. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';

import type { Asset } from '../../src/api/assets/schemas.js';
import type { Config } from '../../src/config/index.js';
import { merge } from '../../src/local/addresses.js';
import { openBrowser } from '../support/browser.js';
import { until } from '../support/processes.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

export interface Site {
  readonly url: string;
  readonly browser: Browser;
  /** Kills the HTTP server as a crash does. */
  killServer(): Promise<void>;
  startServer(): Promise<void>;
  get(path: string): Promise<Response>;
  assets(query?: string): Promise<Asset[]>;
  /** Past the page. */
  upload(path: string, fileName: string): Promise<void>;
  /** The one of this file name, once it is in one of these states. */
  reaches(fileName: string, states: readonly Asset['state'][], ms?: number): Promise<Asset>;
  /** The last words of every process, for a test that failed. */
  lastWords(): string;
  close(): Promise<void>;
}

/** @param port free: the server comes back there */
export async function openSite(isolated: Config, port: number): Promise<Site> {
  const config = merge(isolated, { http: { host: '127.0.0.1', port } });
  const url = `http://127.0.0.1:${port}`;
  const serve = (): Promise<OwnProcess> => startProcess('starters/http/main.js', config, 'http server ready');
  const running = await Promise.all([
    serve(),
    startProcess('workers/all.js', config, 'worker ready'),
    startProcess('starters/kafka/main.js', config, 'starter ready'),
  ]);
  const browser = await openBrowser();
  const lastWords = (): string => running.map(({ log }) => log.slice(-12).join('\n')).join('\n---\n');
  const assets = async (query = ''): Promise<Asset[]> => {
    const response = await fetch(`${url}/v1/assets${query}`);
    if (!response.ok) throw new Error(await response.text());
    return ((await response.json()) as { items: Asset[] }).items;
  };
  return {
    url,
    browser,
    async killServer() {
      running[0].kill('SIGKILL');
      await running[0].exited;
    },
    async startServer() {
      running[0] = await serve();
    },
    get: (path) => fetch(url + path),
    assets,
    async upload(path, fileName) {
      const response = await fetch(`${url}/v1/assets?fileName=${encodeURIComponent(fileName)}`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: await readFile(path),
      });
      if (!response.ok) throw new Error(await response.text());
    },
    async reaches(fileName, states, ms = 300_000) {
      let found: Asset | undefined;
      await until(
        `${fileName}: ${states.join(' or ')}`,
        async () => {
          found = (await assets('?limit=200')).find((asset) => asset.fileName === fileName);
          return found !== undefined && states.includes(found.state);
        },
        ms,
      ).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}; it is ${JSON.stringify(found)}\n${lastWords()}`);
      });
      return found!;
    },
    lastWords,
    async close() {
      await browser.close();
      for (const one of running) one.kill('SIGTERM');
      await Promise.all(running.map(({ exited }) => exited));
    },
  };
}

export interface View {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What no visitor should meet: exceptions, and what the policy of the page had to stop. */
  readonly troubles: string[];
}

export async function openView({ url, browser }: Site, path = '/', options: BrowserContextOptions = {}): Promise<View> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (/Content.Security.Policy|Trusted/i.test(message.text())) troubles.push(message.text());
  });
  await page.goto(url + path);
  return { page, context, troubles };
}

const DROP = `(list) => {
  const transfer = new DataTransfer();
  for (const { name, bytes } of list) {
    const data = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([data], name, { type: name.endsWith('.mp4') ? 'video/mp4' : '' }));
  }
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}`;

/** As from a file manager. */
export async function drop(
  page: Page,
  paths: readonly string[],
  names = paths.map((path) => basename(path)),
): Promise<void> {
  const files = await Promise.all(
    paths.map(async (path, i) => ({ name: names[i]!, bytes: (await readFile(path)).toString('base64') })),
  );
  await page.evaluate(`(${DROP})(${JSON.stringify(files)})`);
}

/** Waits for an expression to be true in the page, whose policy lets nobody evaluate text from within. */
export async function holds(page: Page, expression: string, ms = 30_000): Promise<void> {
  await until(expression, () => page.evaluate<boolean>(`Boolean(${expression})`), ms);
}

export const card = (page: Page, name: string): Locator => page.locator('a.card', { hasText: name });

const run = promisify(execFile);

/** @param input of ffmpeg's filters, e.g. `testsrc2=size=320x180:rate=25:duration=8` */
export async function makeClip(path: string, input: string): Promise<string> {
  const encoding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', input, ...encoding, path]);
  return path;
}

/** @param input of ffmpeg's filters, e.g. `testsrc2=size=600x400` */
export async function makePicture(path: string, input: string): Promise<string> {
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', input, '-frames:v', '1', path]);
  return path;
}

/** Small rungs, so that a minute of film is a matter of seconds. */
export const PROFILE = `
extends: default
description: Small pictures.
rungs:
  - { size: 144, codec: h264, crf: 26, capKbps: 500 }
  - { size: 90, codec: h264, crf: 26, capKbps: 300 }
chunkSegments: 2
`;
export const RUNGS = [144, 90];
