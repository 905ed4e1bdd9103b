// Builds dist/ from src/, and dist/web/ from web/, when they are older. Safe while other processes build or run from
// them: every file is replaced by a rename, and only when it changed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import lockfile from 'proper-lockfile';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

const TARGETS = [
  { from: ['src', '.swcrc'], to: dist, build: compileSources },
  // What workers run of the workflows: one file, made once instead of by each worker when it starts (2 s of processor time).
  {
    from: ['src/workflows', 'src/contracts', '.swcrc', 'package-lock.json'],
    to: join(dist, 'workflow-bundle'),
    build: bundleWorkflows,
  },
  // What the page takes from the service: types, and words.
  { from: ['web', 'src/contracts', 'package-lock.json'], to: join(dist, 'web'), build: bundlePage },
];

async function filesBelow(dir) {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Changes with every name, size and time of a source file. */
async function fingerprint({ from }) {
  const named = await Promise.all(
    from.map(async (name) => {
      const path = join(root, name);
      return (await stat(path)).isDirectory() ? filesBelow(path) : [path];
    }),
  );
  const hash = createHash('sha256');
  for (const file of named.flat().sort()) {
    const { size, mtimeMs } = await stat(file);
    hash.update(`${relative(root, file)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

const read = (file) => readFile(file).catch(() => undefined);
const stampOf = ({ to }) => join(to, '.built');
const isCurrent = async (target) => String(await read(stampOf(target))) === (await fingerprint(target));

async function outdated() {
  const current = await Promise.all(TARGETS.map(isCurrent));
  return TARGETS.filter((_, i) => !current[i]);
}

/** @returns whether anything had to be built. */
export async function ensureBuilt() {
  if ((await outdated()).length === 0) return false;
  await mkdir(dist, { recursive: true });
  const release = await lockfile.lock(dist, {
    stale: 20_000,
    update: 5_000,
    retries: { retries: 600, factor: 1, minTimeout: 200 },
  });
  try {
    const targets = await outdated();
    for (const target of targets) await build(target);
    return targets.length > 0;
  } finally {
    await release();
  }
}

async function build(target) {
  const wanted = await fingerprint(target);
  const out = await mkdtemp(join(root, '.dist-'));
  try {
    await target.build(out);
    await mkdir(target.to, { recursive: true });
    await moveInto(out, target.to);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
  await writeFile(stampOf(target), wanted);
}

async function compileSources(out) {
  const swc = join(root, 'node_modules/@swc/cli/bin/swc.js');
  const args = [swc, 'src', '-d', out, '--strip-leading-paths', '--copy-files', '--quiet'];
  await promisify(execFile)(process.execPath, args, { cwd: root });
}

/** From the compiled sources, which are built before this. */
async function bundleWorkflows(out) {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(dist, 'workflows/index.js'),
    workflowInterceptorModules: [join(dist, 'workflows/tracing.js')],
    logger: new DefaultLogger('WARN'),
  });
  await writeFile(join(out, 'bundle.js'), code);
}

/** The server sends what is compressed here as it is. */
async function bundlePage(out) {
  const { build: bundle } = await import('vite');
  await bundle({ root: join(root, 'web'), build: { outDir: out, emptyOutDir: true }, logLevel: 'warn' });
  const files = (await filesBelow(join(out, 'static'))).filter((file) => /\.(js|css|svg)$/.test(file));
  await Promise.all(files.map(compress));
}

async function compress(file) {
  const bytes = await readFile(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  await writeFile(`${file}.br`, await promisify(brotliCompress)(bytes, { params }));
  await writeFile(`${file}.gz`, await promisify(gzip)(bytes));
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
    // Dot files are other tools' caches; what lies below another target is that one's.
    if (!made.has(name) && !name.startsWith('.') && !isOfAnother(to, file)) await rm(file);
  }
}

const isOfAnother = (to, file) =>
  TARGETS.some((other) => other.to !== to && other.to.startsWith(to + sep) && file.startsWith(other.to + sep));

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureBuilt();
