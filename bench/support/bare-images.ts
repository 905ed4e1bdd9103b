/** The same variants without us: by sharp in a plain Node process, by ImageMagick's `convert`. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import pLimit from 'p-limit';

import type { ImageVariant } from '../../src/contracts/image.js';

export interface BareJob {
  readonly file: string;
  /** How many times over. */
  readonly count: number;
  /** At once. */
  readonly jobs: number;
  readonly variants: readonly ImageVariant[];
  /** `each`: every variant from the file, shrinking on load. `shared`: from one decode to the largest. */
  readonly way: 'each' | 'shared';
}

const run = promisify(execFile);

/** @returns seconds, without the start of the process and a first image that warms it up */
export async function bareSharp(job: BareJob): Promise<number> {
  return inFolder(async (dir) => {
    const script = fileURLToPath(new URL('bare-sharp.ts', import.meta.url));
    const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const child = spawn(process.execPath, ['--import', loader, script], {
      cwd: dir,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    child.stdin.end(JSON.stringify(job));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`bare sharp ended with ${code}`);
    return Number(text);
  });
}

/** One process per image, which decodes once. @returns seconds */
export async function bareMagick({ file, count, jobs, variants }: Omit<BareJob, 'way'>): Promise<number> {
  return inFolder(async (dir) => {
    const limit = pLimit(jobs);
    const started = performance.now();
    const one = (n: number) => run('convert', magickArguments(file, join(dir, String(n)), variants), { env });
    await Promise.all(Array.from({ length: count }, (_, n) => limit(one, n)));
    return (performance.now() - started) / 1000;
  });
}

/** Images are made side by side already. */
const env = { ...process.env, MAGICK_THREAD_LIMIT: '1' };

export function magickArguments(file: string, stem: string, variants: readonly ImageVariant[]): string[] {
  const { width, height } = variants.reduce((a, b) => (a.width >= b.width ? a : b));
  const outputs = variants.flatMap((variant) => {
    const size = `${variant.width}x${variant.height}`;
    const shape =
      variant.fit === 'cover'
        ? ['-resize', `${size}^`, '-gravity', 'center', '-extent', size]
        : ['-resize', `${size}!`];
    return [
      '(',
      '+clone',
      ...shape,
      '-quality',
      `${variant.quality}`,
      ...SPEED,
      '-write',
      `${stem}-${variant.name}`,
      '+delete',
      ')',
    ];
  });
  // Its own way to shrink a JPEG on load; twice the size, as its manual advises.
  const hint = ['-define', `jpeg:size=${2 * width}x${2 * height}`];
  return [...hint, file, '-auto-orient', '-strip', ...outputs, 'null:'];
}

/** The quickest that its encoders have, as ours: AVIF is slower than all else otherwise. */
const SPEED = ['-define', 'heic:speed=9', '-define', 'webp:method=2'];

async function inFolder<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-bare-'));
  try {
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}
