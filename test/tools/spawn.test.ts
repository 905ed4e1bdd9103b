import { beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ChildSpec } from '../../src/tools/child.js';
import type { Host } from '../../src/tools/sandbox.js';
import { createSpawner } from '../../src/tools/spawn.js';
import { inScratch, workingHosts } from './support.js';

let hosts: Host[];
beforeAll(async () => {
  hosts = await workingHosts();
});

const node = (scratch: string, script: string): ChildSpec => ({
  command: process.execPath,
  args: ['-e', script],
  scratch,
  limits: { memoryMiB: 512, fileMiB: 1 },
  memory: 'data',
});

describe('a long-lived child', () => {
  test('talks over its pipes, Node included, and ends when asked', async () => {
    for (const host of hosts) {
      await inScratch(async (scratch) => {
        const child = createSpawner(host)(node(scratch, 'process.stdin.pipe(process.stdout)'));
        const lines = createInterface({ input: child.process.stdout });
        child.process.stdin.write('one\n');
        expect(await once(lines, 'line')).toEqual(['one']);
        child.process.stdin.write('two\n');
        expect(await once(lines, 'line')).toEqual(['two']);
        expect(await child.stop()).toMatchObject({ exitCode: null, signal: 'SIGTERM', overMemory: false });
        // Again, after its end: the same answer, and no signal to whoever has the number now.
        expect(await child.kill()).toMatchObject({ signal: 'SIGTERM' });
      });
    }
  });

  test('ends by itself when its standard input ends', async () => {
    for (const host of hosts) {
      await inScratch(async (scratch) => {
        const child = createSpawner(host)(node(scratch, 'process.stdin.resume()'));
        child.process.stdin.end();
        const end = await child.closed;
        expect(end).toMatchObject({ exitCode: 0, signal: null });
        expect(end.peakMemoryKiB).toBeGreaterThan(5000);
      });
    }
  });

  test('that writes to one that is gone harms nobody', async () => {
    for (const host of hosts) {
      await inScratch(async (scratch) => {
        const child = createSpawner(host)(node(scratch, 'process.exit(3)'));
        const timer = setInterval(() => child.process.stdin.write('x'.repeat(100_000)), 5);
        expect(await child.closed).toMatchObject({ exitCode: 3 });
        clearInterval(timer);
      });
    }
  });
});

describe('what can not be started', () => {
  test('a program that is not installed', async () => {
    await inScratch(async (scratch) => {
      const spec = { ...node(scratch, ''), command: 'no-such-program' };
      expect(() => createSpawner(hosts[0] as Host)(spec)).toThrow('no-such-program is not installed');
    });
  });

  test('with an extra folder that does not exist', async () => {
    await inScratch(async (scratch) => {
      const spec = { ...node(scratch, ''), readOnlyPaths: [`${scratch}/missing`] };
      expect(() => createSpawner(hosts[0] as Host)(spec)).toThrow('missing does not exist');
    });
  });

  test('in a folder that does not exist', async () => {
    for (const host of hosts) {
      const run = async () => createSpawner(host)(node('/no/such/folder', '')).closed;
      const outcome = await run().catch((error: unknown) => ({ spawnError: error }));
      expect(outcome.spawnError).toMatchObject({ code: 'ENOENT' });
    }
  });
});
