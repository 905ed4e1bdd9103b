/** A pool of real children under the best sandbox of this host, whose requests a test can meet with a signal. */
import { createImagePool, type ImagePool, type ImagePoolOptions } from '../../../src/tools/images/pool.js';
import type { SandboxedChild, SpawnSandboxed } from '../../../src/tools/child.js';
import type { ImageCall } from '../../../src/tools/images/protocol.js';
import { createSpawner } from '../../../src/tools/spawn.js';
import { descendants } from '../../support/processes.js';
import { bestHost } from '../support.js';

export interface TestPool extends ImagePool {
  /** All children so far. */
  readonly children: readonly SandboxedChild[];
  /** How children gave way so far. */
  readonly collapses: readonly string[];
}

/** @param strike for a request on its way to a child: the signal that its process gets before it can answer. */
export async function startPool(
  dir: string,
  options: Partial<ImagePoolOptions> = {},
  strike: (call: ImageCall, nth: number) => NodeJS.Signals | undefined = () => undefined,
): Promise<TestPool> {
  const spawnReal = createSpawner(await bestHost());
  const children: SandboxedChild[] = [];
  const collapses: string[] = [];
  let calls = 0;
  const spawn: SpawnSandboxed = (spec) => {
    const child = spawnReal(spec);
    children.push(child);
    const { stdin } = child.process;
    const write = stdin.write.bind(stdin) as (text: string) => boolean;
    stdin.write = ((text: string) => {
      const signal = strike(JSON.parse(text) as ImageCall, calls++);
      if (signal) process.kill(decoderOf(child), signal);
      return write(text);
    }) as typeof stdin.write;
    return child;
  };
  const pool = await createImagePool({
    ...{ spawn, dir, slots: 2, threads: 2, memoryMiB: 512, seconds: 20, maxPixels: 50e6 },
    onCollapse: (how) => collapses.push(how),
    ...options,
  });
  return { ...pool, children, collapses };
}

/** The process that runs sharp: the last of the chain that the sandbox makes. */
export function decoderOf(child: SandboxedChild): number {
  const pid = child.process.pid!;
  return descendants(pid).at(-1)?.pid ?? pid;
}
