/** Where a server comes from: configuration, `PATH`, the per-user cache, or a build that is still to be done. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Config } from '../config/schema.js';
import { kafkaSource } from './servers/kafka.js';
import { minioSource } from './servers/minio.js';
import { postgresSource } from './servers/postgres.js';
import { temporalSource } from './servers/temporal.js';
import type { Buildable, Requirement, ServerName, ServerSource } from './servers/types.js';

export type Found =
  | { readonly how: 'configuration' | 'path' | 'cache' | 'npm'; readonly path: string }
  | { readonly how: 'build'; readonly path: string }
  | { readonly how: 'missing'; readonly problem: string };

/** What is asked of the machine; a record of functions so that the search is tested as data. */
export interface Machine {
  /** Absolute path of a command on `PATH`. */
  which(command: string): string | undefined;
  exists(path: string): boolean;
  readonly cacheDir: string;
}

/** `${XDG_CACHE_HOME:-~/.cache}/mediamill/servers` */
export function serverCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mediamill', 'servers');
}

export function which(command: string, path = process.env.PATH ?? ''): string | undefined {
  for (const dir of path.split(delimiter).filter(Boolean)) {
    const candidate = join(dir, command);
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

export const thisMachine = (): Machine => ({
  which: (command) => which(command),
  exists: existsSync,
  cacheDir: serverCacheDir(),
});

export function serverSource(name: ServerName, local: Config['local']): ServerSource {
  switch (name) {
    case 'temporal':
      return temporalSource(local.temporalBin);
    case 'kafka':
      return kafkaSource(local.kafkaHome);
    case 'minio':
      return minioSource(local.minioBin);
    case 'postgres':
      return postgresSource(local.postgresBin);
  }
}

/** Folder of one version in the cache. Whole or not there: builds are renamed into place. */
export const cachedDir = (source: Pick<Buildable, 'name' | 'version'>, cacheDir: string): string =>
  join(cacheDir, `${source.name}-${source.version}`);

export function missingRequirements(
  requirements: readonly Requirement[],
  machine: Pick<Machine, 'which'>,
): Requirement[] {
  return requirements.filter(({ command }) => !machine.which(command));
}

export function findServer(source: ServerSource, machine: Machine): Found {
  const unmet = (requirements: readonly Requirement[]) =>
    missingRequirements(requirements, machine)
      .map(({ command, install }) => `${source.name} needs ${command}: ${install}`)
      .join('; ');
  const located = locate(source, machine);
  if (located.how === 'missing') return located;
  const problem = unmet(located.how === 'build' ? [...(source.build?.requires ?? []), ...source.runs] : source.runs);
  if (!problem) return located;
  const hint = located.how === 'build' ? ` (or name one by ${source.variable})` : '';
  return { how: 'missing', problem: problem + hint };
}

function locate(source: ServerSource, machine: Machine): Found {
  if (source.configured) {
    if (machine.exists(source.configured)) return { how: 'configuration', path: source.configured };
    return { how: 'missing', problem: `${source.variable} names ${source.configured}, which does not exist` };
  }
  const command = source.onPath && machine.which(source.onPath);
  if (command) return { how: 'path', path: source.fromPath(command) };
  if (source.build) {
    const path = join(cachedDir(source, machine.cacheDir), source.entry);
    return { how: machine.exists(path) ? 'cache' : 'build', path };
  }
  if (source.packaged && machine.exists(source.packaged)) return { how: 'npm', path: source.packaged };
  return {
    how: 'missing',
    problem: `${source.name} did not come with the npm packages: npm ci (or name one by ${source.variable})`,
  };
}
