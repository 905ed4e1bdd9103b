/**
 * `npm run bench:images`: photographs of 1, 12 and 50 megapixels through the whole path, from objects in the bucket to
 * their variants in the bucket, in images per second: over bare `sharp` that makes the same variants in a plain Node
 * process of as many parallel jobs (the faster of two ways to write that), over ImageMagick, and over thumbor.
 *
 * Aims at 12 megapixels: >= 0.8 of bare sharp, >= 5 times ImageMagick.
 *
 * `BENCH_MEGAPIXELS` (1,12,50), `BENCH_SECONDS`: about so long each way of each round (12), `BENCH_ROUNDS` (3),
 * `BENCH_PEERS`: `none` leaves ImageMagick and thumbor out.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { table } from '../src/starters/cli/format.js';
import type { ImageVariant } from '../src/contracts/image.js';
import { bareMagick, bareSharp } from './support/bare-images.js';
import { withImagePath, type ImagePath } from './support/image-path.js';
import { watchMemory } from './support/memory.js';
import { median, setting, spread } from './support/numbers.js';
import { makePhoto } from './support/photo.js';
import { plannedVariants } from './support/planned.js';
import { withThumbor } from './support/thumbor.js';

const SIZES = (process.env.BENCH_MEGAPIXELS ?? '1,12,50').split(',').map(Number);
const SECONDS = setting('BENCH_SECONDS', 12);
const ROUNDS = setting('BENCH_ROUNDS', 3);
const PEERS = process.env.BENCH_PEERS !== 'none';
const JOBS = availableParallelism();
const WARM = 5;
/** Peers are slower by far: one round of so few. */
const PEER_IMAGES = 2 * JOBS;

const rows = [['PHOTO', 'PATH', 'SHARP', 'RATIO', 'IMAGEMAGICK', 'RATIO', 'THUMBOR', 'RATIO', 'PEAK MiB']];
await withImagePath(async (path) => {
  for (const megapixels of SIZES) rows.push(await measure(path, megapixels));
});
console.log(`\nImages per second, ${JOBS} at once.\n${table(rows)}`);
console.log('Aims at 12 megapixels: >= 0.8 of sharp, >= 5 times ImageMagick. Peak: of any one child of the path.');

async function measure(path: ImagePath, megapixels: number): Promise<string[]> {
  const photo = await makePhoto(join(path.dir, `${megapixels}.jpg`), megapixels);
  const file = photo.path;
  const variants = plannedVariants(photo);
  const shared = { file, jobs: JOBS, variants };
  const way = await fasterWay(file, variants);
  // How many fill the time, once servers and workers are warm.
  await path.run(file, WARM * JOBS);
  const pace = (await path.run(file, WARM * JOBS)) / (WARM * JOBS);
  const count = Math.max(2 * JOBS, Math.round(SECONDS / pace));
  const rates: { path: number; bare: number }[] = [];
  const memory = watchMemory(path.worker.pid);
  for (let round = 0; round < ROUNDS; round += 1) {
    const ours = count / (await path.run(file, count));
    const bare = count / (await bareSharp({ ...shared, count, way }));
    rates.push({ path: ours, bare });
    console.log(JSON.stringify({ megapixels, round, count, path: ours.toFixed(2), bare: bare.toFixed(2), way }));
  }
  const peak = memory.stop();
  const ours = median(rates.map((rate) => rate.path));
  const magick = PEERS ? PEER_IMAGES / (await bareMagick({ ...shared, count: PEER_IMAGES })) : undefined;
  const thumbor = PEERS ? await thumborRate(path.dir, file, variants) : undefined;
  const times = (peer: number | undefined): string => (peer === undefined ? '-' : `${(ours / peer).toFixed(1)}x`);
  return [
    `${megapixels} MP`,
    ours.toFixed(2),
    median(rates.map((rate) => rate.bare)).toFixed(2),
    spread(rates.map((rate) => rate.path / rate.bare), 2), // prettier-ignore
    magick?.toFixed(2) ?? '-',
    times(magick),
    thumbor?.toFixed(2) ?? '-',
    times(thumbor),
    peak.toFixed(0),
  ];
}

async function fasterWay(file: string, variants: readonly ImageVariant[]): Promise<'each' | 'shared'> {
  const job = { file, count: 2 * JOBS, jobs: JOBS, variants };
  return (await bareSharp({ ...job, way: 'each' })) < (await bareSharp({ ...job, way: 'shared' })) ? 'each' : 'shared';
}

async function thumborRate(dir: string, file: string, variants: readonly ImageVariant[]): Promise<number | undefined> {
  try {
    return await withThumbor(
      dir,
      JOBS,
      async (thumbor) => PEER_IMAGES / (await thumbor.run(file, PEER_IMAGES, variants)),
    );
  } catch (error) {
    console.log(`thumbor can not be measured here: ${(error as Error).message.split('\n')[0]}`);
    return undefined;
  }
}
