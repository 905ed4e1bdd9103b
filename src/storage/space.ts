/** How much room scratch space has. */
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/index.js';

const MIB = 1024 * 1024;
/** stat(2): `st_blocks` counts these, whatever the file system's own blocks are. Bytes. */
const BLOCK = 512;

/** Bytes that unprivileged processes may still write. */
export async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

/** Bytes of all files below a folder. Files may vanish while it counts. */
export async function usedBytes(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        // Of a sparse file only what is really there.
        ({ size, blocks }) => Math.min(size, blocks * BLOCK),
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Whether so many more bytes may be written below `root`. */
export async function hasRoom(root: string, config: Config['scratch'], bytes: number): Promise<boolean> {
  if ((await freeBytes(root)) - bytes < config.minFreeMiB * MIB) return false;
  return config.maxGiB === 0 || (await usedBytes(root)) + bytes <= config.maxGiB * 1024 * MIB;
}
