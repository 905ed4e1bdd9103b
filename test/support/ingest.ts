/** `mediamill ingest` as a process of its own, as users run it. */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { configEnv, type Config } from '../../src/config/index.js';

const BIN = join(process.cwd(), 'bin/mediamill.mjs');

export interface IngestProcess {
  /** Lines of standard output so far. */
  readonly lines: readonly string[];
  /** Its standard input, where that is no file. */
  feed(lines: readonly string[]): void;
  end(): void;
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  kill(signal: NodeJS.Signals): void;
}

/** @param file its standard input; absent: it is fed. @param env beside the settings */
export async function startIngest(
  config: Config,
  file: string | undefined,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<IngestProcess> {
  const input = file === undefined ? undefined : await open(file);
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [BIN, 'ingest', ...args], {
    env: { PATH, HOME, ...configEnv(config), ...env },
    stdio: [input?.fd ?? 'pipe', 'pipe', 'pipe'],
  });
  await input?.close();
  // It may be killed while it is fed.
  child.stdin?.on('error', () => undefined);
  const lines: string[] = [];
  let rest = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    lines.push(...parts);
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => lines.push(...text.split('\n').filter(Boolean)));
  const exited = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? -1)),
  );
  return {
    lines,
    exited,
    feed: (fed) => void child.stdin?.write(fed.map((line) => `${line}\n`).join('')),
    end: () => void child.stdin?.end(),
    kill: (signal) => void child.kill(signal),
  };
}
