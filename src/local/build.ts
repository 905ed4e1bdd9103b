/** Builds missing servers from their pinned versions, side by side, each once per user. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import lockfile from 'proper-lockfile';
import type { Config } from '../config/schema.js';
import { cachedDir, findServer, serverSource, thisMachine, type Machine } from './find.js';
import type { Progress } from './progress.js';
import type { Buildable, BuildPlan, ServerName } from './servers/types.js';

/** Path of what `launch` expects, per server. */
export type ServerPaths = Record<ServerName, string>;

/**
 * Finds every named server and builds what is missing.
 *
 * @throws one error that lists everything that is missing and the command that brings it.
 */
export async function ensureServers(
  names: readonly ServerName[],
  local: Config['local'],
  progress: Progress,
  machine: Machine = thisMachine(),
): Promise<Partial<ServerPaths>> {
  const sources = names.map((name) => serverSource(name, local));
  const found = sources.map((source) => ({ source, found: findServer(source, machine) }));
  const problems = found.flatMap(({ found }) => (found.how === 'missing' ? [found.problem] : []));
  if (problems.length > 0) throw new Error(`The local stack can not be started:\n  ${problems.join('\n  ')}`);
  const paths = await Promise.all(
    found.map(async ({ source, found }) => {
      if (found.how === 'missing') throw new Error(found.problem);
      if (found.how === 'build') await buildOnce(source, machine.cacheDir, progress);
      return [source.name, found.path] as const;
    }),
  );
  return Object.fromEntries(paths);
}

export function fillOut(plan: BuildPlan, out: string): BuildPlan {
  const fill = (text: string) => text.replaceAll('{out}', out);
  return {
    ...plan,
    args: plan.args.map(fill),
    env: Object.fromEntries(Object.entries(plan.env).map(([key, value]) => [key, fill(value)])),
  };
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Whoever comes second waits and takes what the first one built. */
export async function buildOnce(source: Buildable, cacheDir: string, progress: Progress): Promise<void> {
  if (!source.build) throw new Error(`${source.name} has no build`);
  const target = cachedDir(source, cacheDir);
  await mkdir(cacheDir, { recursive: true });
  const task = progress.task(`${source.name} ${source.version}`);
  const release = await waitForLock(target, () => task.line('another process builds it; waiting'));
  try {
    if (await exists(join(target, source.entry))) return task.done('built meanwhile by another process');
    const out = await mkdtemp(join(cacheDir, `.${source.name}-`));
    try {
      await runBuild(fillOut(source.build, out), (line) => task.line(line));
      await rm(target, { recursive: true, force: true });
      await rename(out, target);
    } finally {
      await rm(out, { recursive: true, force: true });
    }
    task.done('built');
  } catch (error) {
    task.done('failed');
    throw new Error(`Building ${source.name} ${source.version} failed: ${(error as Error).message}`, { cause: error });
  } finally {
    await release();
  }
}

/** The lock is refreshed while its owner lives; a dead owner's is taken over after 20 s. */
async function waitForLock(target: string, onWait: () => void): Promise<() => Promise<void>> {
  const options = { realpath: false, stale: 20_000, update: 5_000 };
  for (;;) {
    try {
      return await lockfile.lock(target, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      onWait();
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

function runBuild(plan: BuildPlan, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(plan.command, plan.args, {
      env: { ...process.env, ...plan.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const last: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (!line.trim()) return;
        last.push(line);
        if (last.length > 15) last.shift();
        onLine(line);
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${plan.command} ended with ${signal ?? `exit code ${code}`}\n${last.join('\n')}`));
    });
  });
}
