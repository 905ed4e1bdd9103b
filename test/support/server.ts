/** A real server as a child of a test: it dies with `stop`, and tests own the folder it works in. */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const runnable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Files called `name` in the per-user cache, which holds each server in a folder of its own. */
function cached(name: string): string[] {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mediamill');
  try {
    return readdirSync(cache, { recursive: true, encoding: 'utf8' })
      .filter((path) => path === name || path.endsWith(`/${name}`))
      .map((path) => join(cache, path));
  } catch {
    return [];
  }
}

/** The environment's choice, else `PATH`, else the per-user cache. */
export function findBinary(name: string, variable: string): string {
  const chosen = process.env[variable];
  const onPath = (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, name));
  const found = (chosen ? [chosen] : [...onPath, ...cached(name)]).find(runnable);
  if (!found) throw new Error(`no ${name}: set ${variable}, or run \`npx mediamill up\` once, which builds it`);
  return found;
}

export async function waitFor(
  what: string,
  probe: () => Promise<boolean>,
  child: ChildProcess,
  output: () => string,
): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) break;
    if (await probe().catch(() => false)) return;
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error(`${what} did not start: ${output()}`);
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

export function start(
  command: string,
  args: string[],
  env: Record<string, string>,
): { child: ChildProcess; output: () => string } {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-8192));
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return { child, output: () => output };
}
