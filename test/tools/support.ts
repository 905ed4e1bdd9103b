/** Real tools on this host, and folders to work in. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpawnSandboxed } from '../../src/tools/child.js';
import { detectHost } from '../../src/tools/protections.js';
import type { Host, Means } from '../../src/tools/sandbox.js';
import { createSpawner } from '../../src/tools/spawn.js';
import type { ToolLimits } from '../../src/tools/tools.js';

export const LIMITS: ToolLimits = { memoryMiB: 2048, cpuSeconds: 60, fileMiB: 64, wallSeconds: 60 };

/** The best that this host has; the tests of isolation ask for it themselves. */
export const bestHost = (): Promise<Host> => detectHost('reduced');

export async function spawnerOf(means?: Means): Promise<SpawnSandboxed> {
  const host = await bestHost();
  return createSpawner(means ? { ...host, means } : host);
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
