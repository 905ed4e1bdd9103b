/**
 * `npm run bench:image-memory`: memory of image work.
 *
 * 1. The highest resident set of any one child while it makes all variants of a 50-megapixel photograph, by format.
 *    Aim: <= 300 MiB for the formats of cameras.
 * 2. Small images, one after the other through the whole path: what worker and children hold in the last tenth, over
 *    what they hold in the second tenth. Aim: flat within 10 %. `BENCH_IMAGES` of them (2000; 0: none).
 *
 * `BENCH_MEGAPIXELS` (50), `BENCH_FORMATS`: only these, with commas between.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadConfig } from '../src/config/index.js';
import { MediaError } from '../src/contracts/errors.js';
import { table } from '../src/starters/cli/format.js';
import { openStudio } from '../test/activities/image/studio.js';
import { withImagePath } from './support/image-path.js';
import { residentMiB, watchMemory } from './support/memory.js';
import { median, setting } from './support/numbers.js';
import { makePhoto, photoAs, PHOTO_FORMATS } from './support/photo.js';

const MEGAPIXELS = setting('BENCH_MEGAPIXELS', 50);
const IMAGES = setting('BENCH_IMAGES', 2000);
const ONLY = process.env.BENCH_FORMATS?.split(',');
const SAMPLE_MS = 500;
/** So many at once wait in the queue. */
const BATCH = 250;

await peaks();
if (IMAGES > 0) await flatness();

async function peaks(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-memory-'));
  const { limits } = loadConfig({ files: [], env: {} });
  const rows = [['FORMAT', 'RESULT', 'SECONDS', 'PEAK MiB']];
  try {
    const photo = await makePhoto(join(dir, 'photo.jpg'), MEGAPIXELS);
    for (const format of PHOTO_FORMATS.filter((name) => ONLY?.includes(name) ?? true)) {
      const bytes = await readFile(await photoAs(photo, format));
      // A child of its own for each: what an earlier one took is not counted.
      const studio = await openStudio(dir, limits, { slots: 1 });
      const memory = watchMemory(process.pid);
      const started = performance.now();
      const result = await studio.process(bytes).then(
        () => 'ready',
        (error: unknown) => (MediaError.is(error) ? error.code : String(error)),
      );
      const seconds = (performance.now() - started) / 1000;
      rows.push([format, result, seconds.toFixed(1), memory.stop().toFixed(0)]);
      await studio.tools.close();
    }
  } finally {
    await rm(dir, { recursive: true });
  }
  console.log(`All variants of ${MEGAPIXELS} megapixels, one image at a time.\n${table(rows)}`);
}

async function flatness(): Promise<void> {
  await withImagePath(async ({ dir, worker, run }) => {
    const { path } = await makePhoto(join(dir, 'small.jpg'), 0.25);
    const samples: { worker: number; children: number }[] = [];
    const timer = setInterval(() => samples.push(residentMiB(worker.pid)), SAMPLE_MS);
    const started = performance.now();
    for (let done = 0; done < IMAGES; done += BATCH) await run(path, Math.min(BATCH, IMAGES - done));
    clearInterval(timer);
    const tenth = (n: number): typeof samples =>
      samples.slice(Math.floor((samples.length * n) / 10), Math.floor((samples.length * (n + 1)) / 10));
    const rows = (['worker', 'children'] as const).map((who) => {
      const [early, late] = [tenth(1), tenth(9)].map((part) => median(part.map((sample) => sample[who])));
      return [who, early!.toFixed(0), late!.toFixed(0), (late! / early!).toFixed(3)];
    });
    const pace = IMAGES / ((performance.now() - started) / 1000);
    console.log(`\n${IMAGES} small images, ${pace.toFixed(1)} per second.`);
    console.log(table([['RESIDENT MiB', 'SECOND TENTH', 'LAST TENTH', 'RATIO'], ...rows]));
    console.log('Aim: <= 1.1');
  });
}
