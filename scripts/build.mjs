// Builds dist/ from src/ when it is older. Safe while other processes build or run from it: every
// file is replaced by a rename, and only when it changed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import lockfile from 'proper-lockfile';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const stamp = join(dist, '.built');

async function filesBelow(dir) {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Changes with every name, size and time of a source file. */
async function fingerprint() {
  const files = [...(await filesBelow(join(root, 'src'))), join(root, '.swcrc')].sort();
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs } = await stat(file);
    hash.update(`${relative(root, file)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

const read = (file) => readFile(file).catch(() => undefined);
const isCurrent = async () => String(await read(stamp)) === (await fingerprint());

/** @returns whether anything had to be built. */
export async function ensureBuilt() {
  if (await isCurrent()) return false;
  await mkdir(dist, { recursive: true });
  const release = await lockfile.lock(dist, {
    stale: 20_000,
    update: 5_000,
    retries: { retries: 600, factor: 1, minTimeout: 200 },
  });
  try {
    if (await isCurrent()) return false;
    const wanted = await fingerprint();
    const out = await mkdtemp(join(root, '.dist-'));
    try {
      const swc = join(root, 'node_modules/@swc/cli/bin/swc.js');
      const args = [swc, 'src', '-d', out, '--strip-leading-paths', '--copy-files', '--quiet'];
      await promisify(execFile)(process.execPath, args, { cwd: root });
      await moveInto(out, dist);
    } finally {
      await rm(out, { recursive: true, force: true });
    }
    await writeFile(stamp, wanted);
    return true;
  } finally {
    await release();
  }
}

async function moveInto(from, to) {
  const made = new Set();
  for (const file of await filesBelow(from)) {
    const name = relative(from, file);
    made.add(name);
    const target = join(to, name);
    const [fresh, old] = await Promise.all([read(file), read(target)]);
    if (old && fresh.equals(old)) continue;
    await mkdir(dirname(target), { recursive: true });
    await rename(file, target);
  }
  for (const file of await filesBelow(to)) {
    const name = relative(to, file);
    // Dot files are other tools' caches.
    if (!made.has(name) && !name.startsWith('.')) await rm(file);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureBuilt();
