/** PostgreSQL's data folder, and the way to run its programs as someone who is not root. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, cp, lstat, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { disguised, NOBODY, postgresInit, type Disguise } from './servers/postgres.js';

const run = promisify(execFile);

export interface PostgresHome {
  readonly disguise: Disguise;
  /** Folder of `initdb` and `postgres`. */
  readonly bin: string;
  readonly data: string;
}

export async function chooseDisguise(uid = process.getuid?.()): Promise<Disguise> {
  if (uid !== 0) return 'none';
  const { command, args } = disguised('namespace', 'true', []);
  return run(command, [...args]).then(
    () => 'namespace',
    () => 'switch',
  );
}

/** Makes the cluster and its database when there is none yet. @param url of the catalogue: role, password and database. */
export async function preparePostgres(bin: string, stateDir: string, url: string): Promise<PostgresHome> {
  const disguise = await chooseDisguise();
  const home = disguise === 'switch' ? await publicHome(bin, stateDir) : { bin, data: join(stateDir, 'data') };
  const made = join(home.data, 'PG_VERSION');
  if (!(await stat(made).catch(() => undefined))) await initialise({ disguise, ...home }, url);
  return { disguise, ...home };
}

/**
 * Nobody may not enter folders of mode 0700, such as root's home: programs and data move to one
 * of their own below `/var/tmp`, named after the state folder.
 */
async function publicHome(bin: string, stateDir: string): Promise<{ bin: string; data: string }> {
  const home = join(
    '/var/tmp',
    `mediamill-postgres-${createHash('sha256').update(stateDir).digest('hex').slice(0, 16)}`,
  );
  await mkdir(home, { recursive: true });
  // Anyone may make folders in /var/tmp: ours must be ours.
  const { uid } = await lstat(home);
  if (uid !== process.getuid?.()) throw new Error(`${home} belongs to someone else`);
  await chmod(home, 0o711);
  const programs = join(home, 'native');
  if (!(await stat(programs).catch(() => undefined))) {
    const copy = join(home, `native.${process.pid}`);
    await cp(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
    // Whatever our umask is, and was when npm wrote them.
    await run('chmod', ['-R', 'a+rX', copy]);
    await rename(copy, programs);
  }
  return { bin: join(programs, 'bin'), data: join(home, 'data') };
}

async function initialise({ disguise, bin, data }: PostgresHome, url: string): Promise<void> {
  const { username, password, pathname } = new URL(url);
  const database = decodeURIComponent(pathname.slice(1));
  const passwordFile = `${data}.password`;
  const owned = async (path: string) => {
    if (disguise === 'switch') await chown(path, NOBODY, NOBODY);
  };
  // Half a cluster of an interrupted start is no cluster.
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, `${decodeURIComponent(password)}\n`, { mode: 0o600 });
  try {
    await Promise.all([owned(data), owned(passwordFile)]);
    const init = postgresInit(bin, data, decodeURIComponent(username), passwordFile);
    const { command, args } = disguised(disguise, init.command, init.args);
    await run(command, [...args]);
    if (database !== 'postgres') await createDatabase(disguise, bin, data, database);
  } catch (error) {
    await rm(data, { recursive: true, force: true });
    throw error;
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** In single-user mode: needs neither a running server nor a client. */
function createDatabase(disguise: Disguise, bin: string, data: string, database: string): Promise<void> {
  const { command, args } = disguised(disguise, join(bin, 'postgres'), ['--single', '-D', data, 'postgres']);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.once('error', reject);
    child.once('close', (code) => {
      // Single-user mode exits 0 after a failed statement too.
      if (code === 0 && !/\b(ERROR|FATAL|PANIC):/.test(errors)) resolve();
      else reject(new Error(`the database ${database} could not be made: ${errors.trim()}`));
    });
    child.stdin.end(`CREATE DATABASE "${database.replaceAll('"', '""')}"\n`);
  });
}
