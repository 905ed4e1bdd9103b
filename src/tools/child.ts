/** What a sandboxed child is asked for and what is got: the seam between the runner and those who use it. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';

export interface ChildLimits {
  readonly memoryMiB: number;
  /** Of the child's whole life; leave out for one that serves many jobs. */
  readonly cpuSeconds?: number | undefined;
  /** Largest single file that it may write. */
  readonly fileMiB: number;
}

export interface ChildSpec {
  /** An absolute path, or a name on PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** The only folder that it can read and write; its working directory, whatever it is called inside. */
  readonly scratch: string;
  /** Names of files in `scratch` that it can read, but not change, move or replace (outside bubblewrap: not change). */
  readonly readOnlyFiles?: readonly string[] | undefined;
  readonly limits: ChildLimits;
  /**
   * What `memoryMiB` bounds. `address-space` (RLIMIT_AS) is the hard one; `data` (RLIMIT_DATA) is for Node, whose
   * V8 reserves gigabytes of addresses that it never touches. Default `address-space`.
   */
  readonly memory?: 'address-space' | 'data' | undefined;
  /** Files and folders that it may read besides the system's programs, at the same path inside. */
  readonly readOnlyPaths?: readonly string[] | undefined;
  /** The whole environment besides PATH, HOME, TMPDIR and LANG. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** 0-19. */
  readonly niceness?: number | undefined;
}

export interface ChildEnd {
  /** Null when a signal ended it. A signal that the sandbox reports as 128 + n is already turned into `signal`. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Sampled. */
  readonly peakMemoryKiB: number;
  /** Killed by us because its family held more than `memoryMiB`. */
  readonly overMemory: boolean;
  /** It could not even be started. */
  readonly spawnError?: Error | undefined;
}

/** A running child with its pipes. */
export interface SandboxedChild {
  readonly process: ChildProcessWithoutNullStreams;
  /** Resolves when the child and all its descendants have ended and its pipes are closed; never rejects. */
  readonly closed: Promise<ChildEnd>;
  /** TERM to the whole group, KILL after 2 s; resolves with `closed`. May be called again. */
  stop(): Promise<ChildEnd>;
  /** Stands still until `resume`. */
  pause(): void;
  resume(): void;
  /** KILL at once; resolves with `closed`. */
  kill(): Promise<ChildEnd>;
}

export type SpawnSandboxed = (spec: ChildSpec) => SandboxedChild;
