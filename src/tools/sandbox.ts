/**
 * The command line that puts a decoder into its sandbox: pure, from what the host can do and what is asked for.
 *
 * Every means ends in an `exec` chain of the system's own small programs, so that the child that we supervise is
 * the decoder itself (or bubblewrap's monitor, which dies with it and with us).
 */
import type { ChildLimits } from './child.js';
import type { Protections } from './tools.js';

/** The ways to confine a child, best first. */
export const MEANS = ['bubblewrap', 'unshare', 'prlimit', 'none'] as const;
export type Means = (typeof MEANS)[number];

export const PROTECTIONS: Readonly<Record<Means, Protections>> = {
  bubblewrap: {
    fileSystem: true,
    network: true,
    privileges: true,
    resources: true,
    diesWithParent: true,
    by: 'bubblewrap',
  },
  unshare: {
    fileSystem: false,
    network: true,
    privileges: true,
    resources: true,
    diesWithParent: true,
    by: 'unshare + setpriv',
  },
  prlimit: {
    fileSystem: false,
    network: false,
    privileges: false,
    resources: true,
    diesWithParent: true,
    by: 'prlimit only',
  },
  none: {
    fileSystem: false,
    network: false,
    privileges: false,
    resources: false,
    diesWithParent: false,
    by: 'nothing',
  },
};

/** The user that `unshare` runs decoders as: nobody. */
export const NOBODY = 65534;

/** Where the scratch folder appears inside bubblewrap. */
const SCRATCH_INSIDE = '/scratch';
const SEARCH_PATH = '/usr/local/bin:/usr/bin:/bin';

export interface Host {
  readonly means: Means;
  /** The top folders that hold programs and libraries, and where they point when they are links: `['/lib', 'usr/lib']`. */
  readonly systemFolders: ReadonlyArray<readonly [path: string, linkTarget: string | null]>;
}

export interface SandboxRequest {
  /** Absolute. */
  readonly command: string;
  readonly args: readonly string[];
  readonly scratch: string;
  /** Names of existing files in `scratch`. */
  readonly readOnlyFiles: readonly string[];
  readonly limits: ChildLimits;
  readonly memory: 'address-space' | 'data';
  /** Existing absolute paths. */
  readonly readOnlyPaths: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly niceness: number;
}

export interface SandboxedCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Complete: nothing of the worker's environment, which holds secrets, reaches the child or its monitor. */
  readonly env: Readonly<Record<string, string>>;
}

export function sandboxedCommand(host: Host, request: SandboxRequest): SandboxedCommand {
  const [file, ...args] = [
    ...(request.niceness > 0 ? ['nice', '-n', String(Math.min(19, request.niceness))] : []),
    ...confinement(host, request),
    ...(PROTECTIONS[host.means].resources ? resourceLimits(host.means, request) : []),
    request.command,
    ...request.args,
  ];
  const home = isBubblewrap(host.means) ? SCRATCH_INSIDE : request.scratch;
  return {
    file: file as string,
    args,
    cwd: request.scratch,
    env: {
      PATH: SEARCH_PATH,
      HOME: home,
      TMPDIR: home,
      LANG: 'C.UTF-8',
      // glibc reserves 64 MiB of addresses per arena and makes up to eight per core: RLIMIT_AS counts them all.
      MALLOC_ARENA_MAX: '2',
      ...request.env,
    },
  };
}

export function isBubblewrap(means: Means): boolean {
  return means === 'bubblewrap';
}

function confinement(host: Host, request: SandboxRequest): string[] {
  switch (host.means) {
    case 'bubblewrap':
      return bubblewrap(host, request);
    case 'unshare':
      return [
        'unshare',
        '--net',
        '--ipc',
        '--uts',
        '--',
        ...setpriv([`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--bounding-set=-all']),
      ];
    case 'prlimit':
      return setpriv([]);
    case 'none':
      return [];
  }
}

/** `--pdeathsig` last: the kernel forgets it when the user changes, and setpriv applies it after that. */
function setpriv(options: readonly string[]): string[] {
  return ['setpriv', ...options, '--no-new-privs', '--pdeathsig', 'KILL', '--'];
}

function bubblewrap(host: Host, request: SandboxRequest): string[] {
  return [
    'bwrap',
    ...['--unshare-all', '--unshare-user', '--disable-userns', '--die-with-parent', '--cap-drop', 'ALL'],
    ...['--uid', String(NOBODY), '--gid', String(NOBODY), '--hostname', 'sandbox'],
    ...host.systemFolders.flatMap(([path, target]) =>
      target === null ? ['--ro-bind', path, path] : ['--symlink', target, path],
    ),
    // The loader's cache, Debian's links from `libblas.so.3` and the like to what is installed, and fonts.
    ...['/etc/ld.so.cache', '/etc/alternatives', '/etc/fonts'].flatMap((path) => ['--ro-bind-try', path, path]),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...request.readOnlyPaths.filter((path) => !isBelow(host, path)).flatMap((path) => ['--ro-bind', path, path]),
    ...['--bind', request.scratch, SCRATCH_INSIDE],
    // A mount of its own over the same place: it can't be written, unlinked or renamed.
    ...request.readOnlyFiles.flatMap((name) => [
      '--ro-bind',
      `${request.scratch}/${name}`,
      `${SCRATCH_INSIDE}/${name}`,
    ]),
    // Below a worker that is root the child still is the host's user 0, without its capabilities: what the kernel
    // guards by user id alone (/proc/sys/kernel/core_pattern!) must not be writable. The rest: no file outside scratch.
    ...['--remount-ro', '/proc', '--remount-ro', '/dev', '--remount-ro', '/'],
    ...['--chdir', SCRATCH_INSIDE, '--'],
  ];
}

function isBelow(host: Host, path: string): boolean {
  return host.systemFolders.some(([folder]) => path === folder || path.startsWith(`${folder}/`));
}

const MIB = 1024 * 1024;
const OPEN_FILES = 1024;
/** Threads count as processes; ffmpeg starts several per core for every codec. */
const PROCESSES = 1024;

function resourceLimits(means: Means, { limits, memory }: SandboxRequest): string[] {
  const bytes = Math.ceil(limits.memoryMiB * MIB);
  const cpu = limits.cpuSeconds === undefined ? undefined : Math.max(1, Math.ceil(limits.cpuSeconds));
  return [
    'prlimit',
    memory === 'address-space' ? `--as=${bytes}` : `--data=${bytes}`,
    // Soft and hard at once, which is SIGKILL: ffmpeg takes the soft limit's SIGXCPU for a polite request and exits
    // with 255, and nobody could tell why.
    ...(cpu === undefined ? [] : [`--cpu=${cpu}:${cpu}`]),
    `--fsize=${Math.ceil(limits.fileMiB * MIB)}`,
    `--nofile=${OPEN_FILES}`,
    '--core=0',
    // Counted per user (and user namespace): under the worker's own user it would count the worker's threads too.
    ...(means === 'prlimit' ? [] : [`--nproc=${PROCESSES}`]),
    '--',
  ];
}
