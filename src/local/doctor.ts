/** What is there on this machine, which version, what is missing and what brings it. */
import { execFile } from 'node:child_process';
import { mkdir, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Config } from '../config/index.js';
import { imageAbilities, type ImageAbilities } from '../tools/image-abilities.js';
import { detectHost } from '../tools/protections.js';
import { PROTECTIONS } from '../tools/sandbox.js';
import { givenServers } from './addresses.js';
import { findServer, serverCacheDir, serverSource, thisMachine, which, type Found } from './find.js';
import { isFree } from './ports.js';
import { GO, JAVA, MAVEN } from './servers/requirements.js';
import { DEFAULT_PORTS, SERVER_NAMES, type ServerName } from './servers/types.js';
import { runningState, stateDirOf } from './state.js';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Nothing works without it. What is not needed is told all the same. */
  readonly needed: boolean;
  readonly found: string;
  /** The command that brings it. */
  readonly fix?: string | undefined;
}

const run = promisify(execFile);

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly needed: boolean;
  readonly fix: string;
}

/** @param building servers that are still to be built. */
export function programs(building: readonly ServerName[], kafkaIsOurs: boolean): readonly Program[] {
  const apt = (name: string) => `apt-get update && apt-get install -y --no-install-recommends ${name}`;
  const go = building.includes('temporal') || building.includes('minio');
  return [
    { command: 'node', args: ['--version'], needed: true, fix: 'https://nodejs.org/en/download (20.19 or later)' },
    { command: 'npm', args: ['--version'], needed: true, fix: 'https://nodejs.org/en/download (comes with Node)' },
    { command: GO.command, args: ['version'], needed: go, fix: GO.install },
    { command: JAVA.command, args: ['-version'], needed: kafkaIsOurs, fix: JAVA.install },
    { command: MAVEN.command, args: ['--version'], needed: building.includes('kafka'), fix: MAVEN.install },
    { command: 'ffmpeg', args: ['-version'], needed: true, fix: apt('ffmpeg') },
    { command: 'ffprobe', args: ['-version'], needed: true, fix: apt('ffmpeg') },
    { command: 'convert', args: ['-version'], needed: true, fix: apt('imagemagick') },
    { command: 'pdftoppm', args: ['-v'], needed: false, fix: apt('poppler-utils') },
    { command: 'heif-convert', args: ['-h'], needed: false, fix: apt('libheif-examples') },
    // Whether decoders are confined without it, the sandbox's own check tells.
    { command: 'bwrap', args: ['--version'], needed: false, fix: apt('bubblewrap') },
  ];
}

/** The first version number in what a program says of itself; all of its first line when there is none. */
export function versionIn(text: string): string {
  const plain = text.replace(/\u001b\[[0-9;]*m/g, '');
  return /\d+(\.\d+)+[\w.+~-]*/.exec(plain)?.[0] ?? plain.trim().split('\n')[0] ?? '';
}

async function checkProgram({ command, args, needed, fix }: Program): Promise<Check> {
  const path = which(command);
  if (!path) return { name: command, ok: false, needed, found: 'missing', fix };
  try {
    // Java speaks of itself on standard error.
    const { stdout, stderr } = await run(path, [...args], { timeout: 20_000 });
    return { name: command, ok: true, needed, found: `${versionIn(stdout || stderr)} (${path})` };
  } catch (error) {
    return {
      name: command,
      ok: false,
      needed,
      found: `${path} does not run: ${(error as Error).message.split('\n')[0]}`,
      fix,
    };
  }
}

export function serverCheck(name: ServerName, version: string, found: Found | 'given'): Check {
  const base = { name: `server ${name}`, needed: true };
  if (found === 'given') return { ...base, ok: true, found: 'address given by configuration' };
  if (found.how === 'missing')
    return { ...base, ok: false, found: found.problem, fix: found.problem.split(': ').slice(1).join(': ') };
  // To be built is no lack: the first start does it.
  if (found.how === 'build') return { ...base, ok: true, found: `${version}, built at the first start` };
  return {
    ...base,
    ok: true,
    found: `${found.how === 'cache' || found.how === 'npm' ? `${version} ` : ''}from ${found.how} (${found.path})`,
  };
}

async function checkSandbox(mode: Config['sandbox']['mode']): Promise<Check> {
  try {
    const { means } = await detectHost(mode);
    return { name: 'sandbox', ok: true, needed: true, found: PROTECTIONS[means].by };
  } catch (error) {
    return {
      name: 'sandbox',
      ok: false,
      needed: true,
      found: (error as Error).message,
      fix: 'apt-get update && apt-get install -y --no-install-recommends bubblewrap (or accept the risk: SANDBOX_MODE=reduced)',
    };
  }
}

/** Pictures of other formats are refused with UNSUPPORTED_FORMAT. */
export function imagesCheck({ read, missing }: ImageAbilities): Check {
  const packages = [...new Set(missing.map(({ brings }) => brings))];
  const not = missing.length > 0 ? `; not ${missing.map(({ format }) => format).join(', ')}` : '';
  return {
    name: 'images',
    ok: missing.length === 0,
    needed: false,
    found: `${read.join(', ')}${not}`,
    // What is installed and still does not read it was built without: a newer package may.
    fix: missing.length > 0 ? `install or renew ${packages.join(', ')}` : undefined,
  };
}

const GIB = 2 ** 30;

async function checkDisk(name: string, dir: string, neededGiB: number): Promise<Check> {
  await mkdir(dir, { recursive: true });
  const { bavail, bsize } = await statfs(dir);
  const free = (bavail * bsize) / GIB;
  const ok = free >= neededGiB;
  return {
    name: `disk ${name}`,
    ok,
    needed: true,
    found: `${free.toFixed(1)} GiB free in ${dir}`,
    fix: ok ? undefined : `free ${neededGiB} GiB there`,
  };
}

async function checkPort(name: string, port: number, host: string): Promise<Check> {
  const free = await isFree(port, host);
  return {
    name: `port ${name}`,
    ok: free,
    needed: false,
    found: free ? `${port} is free` : `${port} is taken; a free one is used instead`,
  };
}

export async function diagnose(config: Config): Promise<Check[]> {
  const given = givenServers(config);
  const machine = thisMachine();
  const servers = SERVER_NAMES.map((name) => {
    const source = serverSource(name, config.local);
    return {
      name,
      version: source.version,
      found: given.includes(name) ? ('given' as const) : findServer(source, machine),
    };
  });
  const building = servers.filter(({ found }) => found !== 'given' && found.how === 'build').map(({ name }) => name);
  const running = runningState(stateDirOf(config)) !== undefined;
  return [
    ...(await Promise.all(programs(building, !given.includes('kafka')).map(checkProgram))),
    ...servers.map(({ name, version, found }) => serverCheck(name, version, found)),
    imagesCheck(await imageAbilities()),
    await checkSandbox(config.sandbox.mode),
    await checkDisk('state', stateDirOf(config), 1),
    // Sources and compiled packages of two Go servers take about 3 GiB.
    await checkDisk('servers', serverCacheDir(), building.length > 0 ? 4 : 0.1),
    // Taken by our own stack is no news.
    ...(running
      ? []
      : await Promise.all(
          (Object.entries(DEFAULT_PORTS) as [string, number][]).map(([name, port]) =>
            checkPort(name, port, config.local.bindHost),
          ),
        )),
  ];
}
