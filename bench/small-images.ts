/**
 * `npm run bench:small-images`: photographs of 64 KB, where Temporal's own cost rules. Images per second of the whole
 * path, over the model 1 / (1 / bare sharp + 1 / bare no-op workflows), both measured in the same run, in turns.
 *
 * Aim: >= 0.8. `BENCH_IMAGES` (300), `BENCH_ROUNDS` (3).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import pLimit from 'p-limit';

import { connectTemporal } from '../src/client/connection.js';
import type { Config } from '../src/config/index.js';
import { table } from '../src/starters/cli/format.js';
import { until } from '../test/support/processes.js';
import { bareSharp } from './support/bare-images.js';
import { withImagePath } from './support/image-path.js';
import { median, setting, spread } from './support/numbers.js';
import { makePhoto } from './support/photo.js';
import { plannedVariants } from './support/planned.js';

const IMAGES = setting('BENCH_IMAGES', 300);
const ROUNDS = setting('BENCH_ROUNDS', 3);
const JOBS = availableParallelism();
const MEGAPIXELS = 0.25;
const QUEUE = 'noop';

await withImagePath(async ({ config, dir, run }) => {
  const photo = await makePhoto(join(dir, 'small.jpg'), MEGAPIXELS);
  const file = photo.path;
  const { size } = await stat(file);
  const variants = plannedVariants(photo);
  const bare = (way: 'each' | 'shared') => bareSharp({ file, count: IMAGES, jobs: JOBS, variants, way });
  const way = (await bare('each')) < (await bare('shared')) ? 'each' : 'shared';
  await run(file, 4 * JOBS);
  const rounds: { path: number; sharp: number; noop: number; ratio: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const path = IMAGES / (await run(file, IMAGES));
    const sharp = IMAGES / (await bare(way));
    const noop = await noopRate(config, round);
    rounds.push({ path, sharp, noop, ratio: path / (1 / (1 / sharp + 1 / noop)) });
    console.log(JSON.stringify({ round, path: path.toFixed(1), sharp: sharp.toFixed(1), noop: noop.toFixed(1) }));
  }
  const of = (key: 'path' | 'sharp' | 'noop'): string => median(rounds.map((round) => round[key])).toFixed(1);
  console.log(
    table([
      ['PER SECOND', 'PATH', 'BARE SHARP', 'NO-OP WORKFLOWS', 'PATH OVER MODEL'],
      [`${(size / 1024).toFixed(0)} KiB`, of('path'), of('sharp'), of('noop'), spread(rounds.map((one) => one.ratio), 2)], // prettier-ignore
    ]),
  );
  console.log('Aim: >= 0.8');
});

/** Workflows of one step that does nothing, started as the starter starts ours, until all are done. Per second. */
async function noopRate({ temporal: server, starter }: Config, round: number): Promise<number> {
  const script = fileURLToPath(new URL('support/noop-worker.ts', import.meta.url));
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const worker = spawn(process.execPath, ['--import', loader, script, server.address, QUEUE], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(worker, 'close');
  let said = '';
  worker.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const { temporal, close } = await connectTemporal(server);
  try {
    await until('the worker is ready', () => said.includes('worker ready'), 60_000);
    const limit = pLimit(starter.concurrency);
    const all = async (count: number, name: string): Promise<void> => {
      const start = (n: number) =>
        limit(() =>
          temporal.workflow.start('noop', {
            taskQueue: QUEUE,
            workflowId: `noop-${name}-${round}-${n}`,
            args: [`${QUEUE}-image`],
          }),
        );
      const handles = await Promise.all(Array.from({ length: count }, (_, n) => start(n)));
      await Promise.all(handles.map((handle) => handle.result()));
    };
    await all(4 * JOBS, 'warm');
    const started = performance.now();
    await all(IMAGES, 'run');
    return IMAGES / ((performance.now() - started) / 1000);
  } finally {
    worker.kill('SIGTERM');
    await ended;
    await close();
  }
}
