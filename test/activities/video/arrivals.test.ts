import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { watchArrivals, type Arrivals } from '../../../src/activities/video/arrivals.js';

/** Long enough for any machine; nothing here waits for it to pass. */
const AGES = 60_000;

let dir: string;
let folders: string[];
let arrivals: Arrivals;
let heard: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'arrivals-'));
  folders = [join(dir, '360p'), join(dir, '720p')];
  for (const folder of folders) await mkdir(folder);
  heard = 0;
  arrivals = watchArrivals(folders, '.m4s', () => (heard += 1));
});

afterEach(async () => {
  arrivals.close();
  await rm(dir, { recursive: true });
});

/** As the muxer does: under another name until it is whole. */
async function finish(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(`${path}.tmp`, 'bytes');
  await rename(`${path}.tmp`, path);
  return path;
}

test('a file is noticed when it gets its final name, in any of the folders', async () => {
  for (const folder of folders) {
    const next = arrivals.next(AGES);
    await finish(folder, 'seg-00000.m4s');
    await next;
  }
  expect(heard).toBe(2);
});

test('what arrives while nobody waits is told at once to who waits next', async () => {
  const first = arrivals.next(AGES);
  await finish(folders[0]!, 'seg-00000.m4s');
  await first;
  await finish(folders[0]!, 'seg-00001.m4s');
  while (!arrivals.pending) await new Promise((resolve) => setImmediate(resolve));
  await arrivals.next(AGES);
  expect(arrivals.pending).toBe(false);
  expect(heard).toBe(2);
});

test('neither other files nor taking one away counts', async () => {
  const next = arrivals.next(AGES);
  await finish(folders[0]!, 'init.mp4');
  const path = await finish(folders[0]!, 'seg-00000.m4s');
  await next;
  await rm(path);
  const after = arrivals.next(AGES);
  await finish(folders[0]!, 'seg-00001.m4s');
  await after;
  expect(heard).toBe(2);
});

test('who waits is let go when the watch ends', async () => {
  const next = arrivals.next(AGES);
  arrivals.close();
  await next;
  expect(heard).toBe(0);
});
