/** A server as a child: its output in a log file, dead when we are dead. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Launch } from './servers/types.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * `setpriv --pdeathsig`: the kernel signals the child when the thread that made it ends, whatever
 * ended it. The setting is lost when ids change, so it comes after `prefix` (which may change them).
 */
export function orphanProof(launch: Pick<Launch, 'command' | 'args' | 'orphanSignal'>): {
  command: string;
  args: readonly string[];
} {
  if (process.platform !== 'linux') return launch;
  return { command: 'setpriv', args: ['--pdeathsig', launch.orphanSignal, '--', launch.command, ...launch.args] };
}

export class ServerProcess {
  readonly exited: Promise<Exit>;
  private readonly child: ChildProcess;
  private ended: Exit | undefined;

  constructor(
    readonly name: string,
    command: { command: string; args: readonly string[]; env: Readonly<Record<string, string>> },
    private readonly stopSignal: NodeJS.Signals,
    readonly logFile: string,
  ) {
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, 'a');
    try {
      this.child = spawn(command.command, command.args, {
        env: { ...process.env, ...command.env },
        stdio: ['ignore', log, log],
        // A session of its own: Ctrl-C in a terminal reaches us, and we end things in order.
        detached: true,
      });
    } finally {
      closeSync(log);
    }
    this.exited = new Promise((resolve) => {
      const end = (exit: Exit) => {
        this.ended ??= exit;
        resolve(this.ended);
      };
      this.child.once('exit', (code, signal) => end({ code, signal }));
      this.child.once('error', () => end({ code: 127, signal: null }));
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get running(): boolean {
    return this.ended === undefined;
  }

  /** Asks for an orderly end; kills the whole session when there was none in time. */
  async stop(timeoutMs = 15_000, signal: NodeJS.Signals = this.stopSignal): Promise<Exit> {
    if (this.running) this.child.kill(signal);
    const timer = setTimeout(() => this.killGroup(), timeoutMs);
    const exit = await this.exited;
    clearTimeout(timer);
    this.killGroup();
    return exit;
  }

  private killGroup(): void {
    if (this.pid === undefined) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Rejects, with the end of its log, when the server ends before `ready` resolves. */
  async untilReady<T>(ready: (signal: AbortSignal) => Promise<T>, timeoutMs: number): Promise<T> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(new Error(`not ready after ${timeoutMs / 1000} s`)), timeoutMs);
    void this.exited.then(({ code, signal }) =>
      abort.abort(new Error(`it ended with ${signal ?? `exit code ${code}`}`)),
    );
    try {
      return await ready(abort.signal);
    } catch (error) {
      throw new Error(`${this.name} did not start: ${(error as Error).message}\n${await tail(this.logFile)}`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

export async function tail(file: string, lines = 15): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return [...text.trimEnd().split('\n').slice(-lines), `(all of it: ${file})`].join('\n');
}
