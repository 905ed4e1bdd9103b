/** An encoder that makes nothing: hangs, sleeps for ever, or is not given a processor. */
import { beforeAll, expect, jest, test } from '@jest/globals';
import { type ChildProcess, spawn as spawnPlain } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import type { SpawnSandboxed } from '../../src/tools/child.js';
import { runFfmpeg } from '../../src/tools/ffmpeg/run.js';
import { createSpawner } from '../../src/tools/spawn.js';
import { bestHost, failureOf, inScratch, LIMITS } from './support.js';

const STALL_SECONDS = 2;
const SPIN = 'while :; do :; done';

jest.setTimeout(60_000);

let spawn: SpawnSandboxed;
beforeAll(async () => {
  spawn = createSpawner(await bestHost());
});

/** A shell in the encoder's place, as the encoders of the bulk run. @returns what its run fails with */
const inPlaceOfEncoder = (script: string, scratch: string): Promise<unknown> =>
  failureOf(
    runFfmpeg((spec) => spawn({ ...spec, command: 'sh', args: ['-c', script] }), {
      ...{ args: [], scratch, limits: LIMITS, stallSeconds: STALL_SECONDS, niceness: 19 },
    }),
  );

test.each([
  ['spins', SPIN],
  ['waits for what never comes', 'sleep 60'],
])('one that %s is stopped', async (_name, script) => {
  await inScratch(async (scratch) => {
    expect(await inPlaceOfEncoder(script, scratch)).toMatchObject({ code: 'TOOL_STALLED' });
  });
});

test('one that waits for a processor is left alone until it has had one', async () => {
  // In sessions of their own: how nice the one is that the tests run in must not matter.
  const hogs: ChildProcess[] = Array.from({ length: 2 * availableParallelism() }, () =>
    spawnPlain('sh', ['-c', SPIN], { stdio: 'ignore', detached: true }),
  );
  try {
    await inScratch(async (scratch) => {
      let ended = false;
      const failure = inPlaceOfEncoder(SPIN, scratch).finally(() => (ended = true));
      await sleep(3 * STALL_SECONDS * 1000);
      expect(ended).toBe(false);
      for (const hog of hogs) hog.kill('SIGKILL');
      expect(await failure).toMatchObject({ code: 'TOOL_STALLED' });
    });
  } finally {
    for (const hog of hogs) hog.kill('SIGKILL');
  }
});
