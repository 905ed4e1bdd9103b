/** What an image child is started with. */
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ChildSpec } from '../child.js';
import { FRESH_MEMORY } from '../fresh-memory.js';
import type { SlotOptions } from '../tools.js';

/** The project's folder, from `src/tools/images` and from `dist/tools/images` alike. */
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

/** The child is always the built one: Node runs it without a loader. */
const CHILD_DIR = join(PROJECT, 'dist', 'tools', 'images');

/** Largest picture that a child may write. */
const FILE_MIB = 256;

/**
 * At most two arenas: glibc otherwise keeps one per thread, each at its own high-water mark.
 * https://sharp.pixelplumbing.com/install#linux-memory-allocator
 */
const ENV = { MALLOC_ARENA_MAX: '2', VIPS_BLOCK_UNTRUSTED: '1' };

export interface ImageChildOptions {
  readonly memoryMiB: number;
  /** Encoders at once. */
  readonly threads: number;
  readonly opens: NonNullable<SlotOptions['opens']>;
}

export function imageChildSpec(dir: string, { memoryMiB, threads, opens }: ImageChildOptions): ChildSpec {
  return {
    command: process.execPath,
    // Most of the memory is libvips's; the heap of V8 only holds requests.
    args: ['--max-old-space-size=64', join(CHILD_DIR, 'child.js')],
    scratch: dir,
    limits: { memoryMiB, fileMiB: FILE_MIB },
    memory: 'data',
    readOnlyPaths: [process.execPath, CHILD_DIR, join(PROJECT, 'package.json'), ...packages()],
    // sharp works in libuv's pool: each picture in one thread of it.
    env: { ...ENV, ...(opens === 'any' && FRESH_MEMORY), UV_THREADPOOL_SIZE: String(threads) },
  };
}

/** sharp, its native halves and its two helpers, and what makes placeholders, wherever the package manager has put them. */
function packages(): string[] {
  const require = createRequire(import.meta.url);
  const packageDir = (from: NodeRequire, name: string): string => {
    const entry = from.resolve(name);
    const tail = `${sep}node_modules${sep}${name.replaceAll('/', sep)}`;
    return entry.slice(0, entry.lastIndexOf(tail) + tail.length);
  };
  const sharp = packageDir(require, 'sharp');
  const fromSharp = createRequire(join(sharp, 'package.json'));
  const helpers = ['detect-libc', 'semver'].map((name) => packageDir(fromSharp, name));
  const placeholders = ['blurhash', 'thumbhash'].map((name) => packageDir(require, name));
  return [sharp, dirname(packageDir(fromSharp, '@img/colour')), ...helpers, ...placeholders];
}
