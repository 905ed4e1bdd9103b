/** Runs one tool to its end: the one place that waits for, bounds and stops a short-lived child. */
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { spannedWithin } from '../telemetry/index.js';
import type { ChildSpec, SandboxedChild, SpawnSandboxed } from './child.js';
import { type Stopped, ToolError } from './tool-error.js';
import type { ToolResult } from './tools.js';

const STDERR_BYTES = 16 * 1024;
const STDOUT_BYTES = 8 * 1024 * 1024;
/** setTimeout's range; about 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface RunSpec extends ChildSpec {
  readonly wallSeconds: number;
  readonly signal?: AbortSignal | undefined;
  /** Takes standard output line by line; the result's `stdout` is then empty and its length not bounded. */
  readonly onLine?: ((line: string) => void) | undefined;
  readonly onStart?: ((child: Pick<SandboxedChild, 'pause' | 'resume'>) => void) | undefined;
  /** A watchdog of the caller: call `stop` to end the child. The function returned is called at the end. */
  readonly watch?: ((stop: (reason: Stopped) => void, pid: number | undefined) => () => void) | undefined;
}

/**
 * Resolves when the tool exits with 0 and nothing of it is left.
 *
 * @throws ToolError when it ends otherwise or is stopped for passing a bound; `signal.reason` itself when cancelled;
 *   Error when it can't be started. In every case only after the last process of its group has ended.
 */
export function runTool(spawn: SpawnSandboxed, spec: RunSpec): Promise<ToolResult> {
  const name = basename(spec.command);
  const attributes = { 'process.executable.name': name };
  return spannedWithin(name, { attributes }, () => runToEnd(spawn, spec));
}

async function runToEnd(spawn: SpawnSandboxed, spec: RunSpec): Promise<ToolResult> {
  spec.signal?.throwIfAborted();
  const started = performance.now();
  const child = spawn(spec);
  let stopped: Stopped | undefined;
  const stop = (reason: Stopped) => {
    stopped ??= reason;
    void child.kill();
  };
  const onAbort = () => void child.stop();
  const wallTimer = setTimeout(() => stop('wall-time'), Math.min(spec.wallSeconds * 1000, LONGEST_TIMER_MS));
  spec.signal?.addEventListener('abort', onAbort, { once: true });
  const endWatch = spec.watch?.(stop, child.process.pid);
  spec.onStart?.(child);

  child.process.stdin.end();
  const stderr = keepTail(child.process.stderr, STDERR_BYTES);
  const lineError: { error?: unknown } = {};
  const stdout = spec.onLine
    ? passLines(child.process.stdout, spec.onLine, (error) => {
        lineError.error ??= error;
        void child.kill();
      })
    : keepHead(child.process.stdout, STDOUT_BYTES, () => stop('output'));
  try {
    const end = await child.closed;
    const wallMs = performance.now() - started;
    if (spec.signal?.aborted) throw spec.signal.reason;
    if ('error' in lineError) throw lineError.error;
    if (end.spawnError) throw new Error(`${basename(spec.command)} could not be started`, { cause: end.spawnError });
    if (end.overMemory) stopped ??= 'memory';
    if (stopped !== undefined || end.exitCode !== 0) {
      const { peakMemoryKiB } = end;
      throw new ToolError({ tool: basename(spec.command), end, stderr: stderr(), wallMs, peakMemoryKiB, stopped });
    }
    return { stdout: await stdout(), stderr: stderr(), wallMs, peakMemoryKiB: end.peakMemoryKiB };
  } finally {
    clearTimeout(wallTimer);
    spec.signal?.removeEventListener('abort', onAbort);
    endWatch?.();
  }
}

function keepTail(stream: NodeJS.ReadableStream, bytes: number): () => string {
  let tail = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => (tail = Buffer.concat([tail, chunk]).subarray(-bytes)));
  return () => tail.toString('utf8');
}

function keepHead(stream: NodeJS.ReadableStream, bytes: number, onTooMuch: () => void): () => Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= bytes) chunks.push(chunk);
    else onTooMuch();
  });
  return async () => Buffer.concat(chunks).toString('utf8');
}

function passLines(
  stream: NodeJS.ReadableStream,
  onLine: (line: string) => void,
  onError: (error: unknown) => void,
): () => Promise<string> {
  const lines = createInterface({ input: stream, crlfDelay: Infinity });
  const done = new Promise<void>((resolve) => lines.once('close', resolve));
  lines.on('line', (line) => {
    try {
      onLine(line);
    } catch (error) {
      onError(error);
    }
  });
  return () => done.then(() => '');
}
