/** The object store is slow, refuses, or breaks off in the middle: every video comes to its good end all the same. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { outputPrefix } from '../../src/contracts/assets.js';
import type { ProcessSummary } from '../../src/contracts/summary.js';
import { makeVideo } from '../../src/local/samples.js';
import { expectFinished } from '../support/finished.js';
import { lastWords, openMill, type Film, type Mill } from '../support/mill.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import type { StoreRequest } from '../support/store-proxy.js';

const run = promisify(execFile);
const SECONDS = 20;
const FPS = 25;

const stack = useStack();
let dir: string;
let sample: string;
/** The same without sample tables: it can't be read in parts. */
let whole: string;
let mill: Mill;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-trouble-'));
  sample = await makeVideo(join(dir, 'sample.mp4'), { seconds: SECONDS, width: 320, height: 180, fps: FPS });
  whole = join(dir, 'whole.mkv');
  // FLAC: the priming of AAC would move the picture by a frame here.
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-i', sample, '-c:v', 'copy', '-c:a', 'flac', whole]);
  mill = await openMill(dir, await stack.isolated(), ['video', 'image', 'media', 'publish']);
}, 120_000);

afterAll(async () => {
  await mill?.close();
  await rm(dir, { recursive: true });
});

const nameOf = ({ key }: StoreRequest): string => key.replace(/^assets\/[^/]+\/[^/]+\//, '');

async function expectGoodEnd({ job, handle }: Film): Promise<void> {
  try {
    expect((await handle.result()) as ProcessSummary).toMatchObject({ state: 'ready', missing: [] });
  } catch (error) {
    throw new Error(`${String(error)}\n${lastWords(mill)}`, { cause: error });
  }
  await expectFinished(mill, job, SECONDS * FPS);
}

test('cut off in the middle of a segment, of a source and of every kind of object', async () => {
  const kinds = [
    /^GET (sample\.mp4|whole\.mkv)/,
    ...[/^PUT plan\.json/, /^PUT video\/180p\/init\.mp4/, /^PUT video\/180p\/seg-00003\.m4s/],
    ...[/^PUT audio\/[^/]+\/seg-00001\.m4s/, /^PUT work\/tiles\/0+2\.jpg/, /^PUT storyboard\/sheet/],
    ...[/^GET video\/180p\/seg-00002\.m4s/, /^PUT master\.m3u8/, /^PUT asset\.json/],
  ];
  const cut: string[] = [];
  mill.proxy.fault = (request) => {
    const line = `${request.method} ${nameOf(request)}`;
    // Twice: the store's client tries once more by itself; then the step fails, and is tried again.
    if (request.times > 2 || !kinds.some((kind) => kind.test(line))) return undefined;
    cut.push(line);
    return 'cut';
  };
  const films = [await mill.submit(sample, 'sample.mp4'), await mill.submit(whole, 'whole.mkv')];
  for (const film of films) await expectGoodEnd(film);
  // Each of them for each of the two videos.
  for (const kind of kinds)
    expect({ kind, cuts: cut.filter((line) => kind.test(line)).length }).toEqual({ kind, cuts: 4 });
}, 240_000);

test('answers with 503, then refuses connections, then is back', async () => {
  let troubled = 0;
  let busy = true;
  mill.proxy.fault = ({ bucket }) => {
    if (!busy || bucket !== mill.mediaBucket) return undefined;
    troubled += 1;
    return 503;
  };
  const film = await mill.submit(sample, 'refused.mp4');
  await until('it has been turned away', () => troubled >= 3, 60_000);
  busy = false;
  const prefix = outputPrefix(film.job.assetId, film.job.generation);
  const stored = () =>
    mill.proxy.requests.some(({ key, status }) => key.startsWith(`${prefix}video/`) && status === 200);
  await until('the first segment is stored', stored, 60_000);
  await mill.proxy.shut();
  const troubles = () => mill.workers.flatMap(({ log }) => log.filter((line) => line.includes('ECONNREFUSED'))).length;
  await until('it has been refused', () => troubles() > 0, 60_000);
  await mill.proxy.open();
  await expectGoodEnd(film);
}, 240_000);

test('slow', async () => {
  mill.proxy.fault = () => undefined;
  mill.proxy.bytesPerSecond = 100_000;
  await expectGoodEnd(await mill.submit(sample, 'slow.mp4'));
}, 240_000);

test('nothing is asked of the store any more', async () => {
  const asked = mill.proxy.requests.length;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(mill.proxy.requests).toHaveLength(asked);
});
