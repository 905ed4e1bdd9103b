/** One supervised sharp process: one request at a time, and a definite end to each. */
import { AsyncResource } from 'node:async_hooks';
import { StringDecoder } from 'node:string_decoder';

import type { ChildSpec, SandboxedChild, SpawnSandboxed } from '../child.js';
import { MAX_LINE, parseLine, type ImageCall, type ImageNews, type ImageReply } from './protocol.js';

/**
 * How a child failed its request and is no longer to be used. What it was asked may work in a fresh one.
 * `start`: before it was asked for anything.
 */
export type Collapse = 'start' | 'crashed' | 'timeout' | 'memory' | 'file-size';

export class ChildCollapsed extends Error {
  constructor(
    readonly how: Collapse,
    detail: string,
  ) {
    super(detail);
    this.name = 'ChildCollapsed';
  }
}

/** Loading sharp takes some 0.2 s on an idle machine. Milliseconds. */
const START_MS = 30_000;

/** What is kept of stderr, for the log of a crash. Characters. */
const STDERR_TAIL = 4096;

/** The last words of V8, GLib and the C++ runtime when an allocation is refused. */
const OUT_OF_MEMORY = /out of memory|failed to allocate|cannot allocate|bad_alloc/i;

interface Waiting {
  readonly id: number;
  readonly settle: (reply: ImageReply | ChildCollapsed) => void;
  readonly onNews?: ((news: ImageNews) => void) | undefined;
}

export interface Asking {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Not to throw. */
  readonly onNews?: ((news: ImageNews) => void) | undefined;
}

export class ImageChild {
  private readonly child: SandboxedChild;
  private readonly ready: Promise<ImageReply | ChildCollapsed>;
  private waiting: Waiting | undefined;
  private collapsed: ChildCollapsed | undefined;
  private stderr = '';
  private nextId = 1;

  constructor(spawn: SpawnSandboxed, spec: ChildSpec) {
    this.child = spawn(spec);
    const { stdout, stderr } = this.child.process;
    this.ready = this.reply(0);
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_TAIL);
    });
    this.readLines(stdout);
    void this.child.closed.then(({ exitCode, signal, overMemory, spawnError }) => {
      const memory = overMemory || OUT_OF_MEMORY.test(this.stderr);
      const how = signal === 'SIGXFSZ' ? 'file-size' : memory ? 'memory' : 'crashed';
      this.collapse(new ChildCollapsed(how, spawnError?.message ?? `exit ${exitCode ?? signal}: ${this.stderr}`));
    });
  }

  /**
   * @returns the child's answer, good or bad.
   * @throws ChildCollapsed, with the process ended; or the abort signal's reason, with the process ended.
   */
  async ask(call: ImageCall, { timeoutMs, signal, onNews }: Asking): Promise<ImageReply> {
    signal?.throwIfAborted();
    const abort = (): void => this.collapse(new ChildCollapsed('crashed', 'aborted'));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await this.within(START_MS, this.ready).catch(({ message }: ChildCollapsed) => {
        throw new ChildCollapsed('start', message);
      });
      const id = this.nextId++;
      // News comes by a stream that another job opened: whoever asked hears it as its own.
      const reply = this.reply(id, onNews && AsyncResource.bind(onNews));
      this.child.process.stdin.write(`${JSON.stringify({ id, ...call })}\n`);
      return await this.within(timeoutMs, reply);
    } catch (error) {
      // Only an ended process is sure not to write into the folder any more.
      await this.kill();
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  async kill(): Promise<void> {
    await this.child.kill();
  }

  private async within(ms: number, reply: Promise<ImageReply | ChildCollapsed>): Promise<ImageReply> {
    const timer = setTimeout(() => this.collapse(new ChildCollapsed('timeout', `no reply in ${ms} ms`)), ms);
    try {
      const settled = await reply;
      if (settled instanceof ChildCollapsed) throw settled;
      return settled;
    } finally {
      clearTimeout(timer);
    }
  }

  private reply(id: number, onNews?: Asking['onNews']): Promise<ImageReply | ChildCollapsed> {
    return new Promise((settle) => {
      if (this.collapsed) settle(this.collapsed);
      else this.waiting = { id, settle, onNews };
    });
  }

  private collapse(reason: ChildCollapsed): void {
    this.collapsed ??= reason;
    this.waiting?.settle(this.collapsed);
    this.waiting = undefined;
  }

  private readLines(stdout: NodeJS.ReadableStream): void {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    stdout.on('data', (bytes: Buffer) => {
      const lines = (rest + decoder.write(bytes)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE) this.collapse(new ChildCollapsed('crashed', 'endless line'));
      for (const line of lines) {
        const said = parseLine(line);
        if (!said || said.id !== this.waiting?.id) continue;
        if ('written' in said) {
          this.waiting.onNews?.(said);
          continue;
        }
        this.waiting.settle(said);
        this.waiting = undefined;
      }
    });
  }
}
