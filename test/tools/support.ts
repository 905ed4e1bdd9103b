/** Real tools on this host, folders to work in, and a look at what runs. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findSystemFolders, tryMeans } from '../../src/tools/protections.js';
import { type Host, MEANS } from '../../src/tools/sandbox.js';
import type { ToolLimits } from '../../src/tools/tools.js';

export const LIMITS: ToolLimits = { memoryMiB: 2048, cpuSeconds: 60, fileMiB: 64, wallSeconds: 60 };

/** Every means that works on this host but `none`, best first. */
export async function workingHosts(): Promise<Host[]> {
  const systemFolders = await findSystemFolders();
  const hosts: Host[] = [];
  for (const means of MEANS) {
    const host = { means, systemFolders };
    if (means !== 'none' && (await tryMeans(host)) === null) hosts.push(host);
  }
  return hosts;
}

/** The best that this host has. */
export async function bestHost(): Promise<Host> {
  const [host] = await workingHosts();
  if (host === undefined) throw new Error('Nothing confines a child here');
  return host;
}

/** Runs with a new folder, and removes it. */
export async function inScratch<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-tools-'));
  try {
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Arguments that make a small film: `seconds` of a moving pattern, with a tone. */
export const sampleArgs = (seconds: number, file = './source.mp4', size = '320x180'): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=24:duration=${seconds}`],
  ...['-f', 'lavfi', '-i', `sine=duration=${seconds}`],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-y', file],
];

/** Arguments of an encode that runs until it is stopped, at the pace of a camera; `mark` makes it recognisable. */
export const endlessArgs = (mark: string): string[] => [
  ...['-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=24', '-metadata', `title=${mark}`],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-y', './endless.ts'],
];

/** The living processes that have the mark in their command line; `program` tells a decoder from its sandbox. */
export function processesMarked(mark: string, program?: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const words = readOrEmpty(`/proc/${pid}/cmdline`).split('\0');
      const isOurs = Number(pid) !== process.pid && words.some((word) => word.includes(mark));
      return isOurs && (program === undefined || words[0]?.split('/').at(-1) === program);
    })
    .map(Number);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** @throws Error when it is not so within the time. */
export async function until(isSo: () => boolean, milliseconds: number, what: string): Promise<void> {
  for (const end = performance.now() + milliseconds; !isSo();) {
    if (performance.now() > end) throw new Error(`Not within ${milliseconds} ms: ${what}`);
    await sleep(20);
  }
}

/** What a run that must fail fails with. */
export const failureOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => new Error('It worked'),
    (error: unknown) => error,
  );
