import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type ChildProcess, execFileSync, spawn as spawnPlain } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runFfmpeg } from '../../src/tools/ffmpeg/run.js';
import { runTool } from '../../src/tools/process.js';
import type { Host } from '../../src/tools/sandbox.js';
import { createSpawner } from '../../src/tools/spawn.js';
import { endlessArgs, failureOf, inScratch, LIMITS, processesMarked, until, workingHosts } from './support.js';

let hosts: Host[];
beforeAll(async () => {
  hosts = await workingHosts();
});

let mark = '';
/** Each means of this host, with a mark of its own for the processes of the run. */
async function everywhere(check: (host: Host, scratch: string) => Promise<void>): Promise<void> {
  for (const host of hosts) {
    mark = `mark-${randomUUID()}`;
    await inScratch((scratch) => check(host, scratch));
    expect(processesMarked(mark)).toEqual([]);
  }
}
jest.setTimeout(240_000);

/** What is not stopped here goes on for longer, by far. Milliseconds. */
const OTHERWISE = 20_000;
afterEach(() => processesMarked(mark).forEach((pid) => process.kill(pid, 'SIGKILL')));

const encoderRuns = () => until(() => processesMarked(mark, 'ffmpeg').length === 1, 20_000, 'ffmpeg runs');

describe('a running encoder', () => {
  test('ends on cancellation, with the reason of the signal itself', async () => {
    await everywhere(async (host, scratch) => {
      const controller = new AbortController();
      const reason = new Error('the workflow was cancelled');
      const run = { args: endlessArgs(mark), scratch, limits: LIMITS, stallSeconds: 30, signal: controller.signal };
      const outcome = failureOf(runFfmpeg(createSpawner(host), run));
      await encoderRuns();
      const asked = performance.now();
      controller.abort(reason);
      expect(await outcome).toBe(reason);
      expect(performance.now() - asked).toBeLessThan(OTHERWISE);
      expect(processesMarked(mark)).toEqual([]);
    });
  });

  test('is not even started when cancelled before', async () => {
    await everywhere(async (host, scratch) => {
      const reason = new Error('too late');
      const run = {
        args: endlessArgs(mark),
        scratch,
        limits: LIMITS,
        stallSeconds: 30,
        signal: AbortSignal.abort(reason),
      };
      expect(await failureOf(runFfmpeg(createSpawner(host), run))).toBe(reason);
    });
  });

  test('is killed when it ignores TERM, and its descendants with it', async () => {
    await everywhere(async (host, scratch) => {
      const controller = new AbortController();
      const script = 'trap "" TERM; (trap "" TERM; sleep 60 & wait; sleep 60) & echo up; while :; do sleep 1; done';
      let isUp = false;
      const outcome = failureOf(
        runTool(createSpawner(host), {
          command: '/bin/sh',
          args: ['-c', script, mark],
          scratch,
          limits: LIMITS,
          wallSeconds: 60,
          signal: controller.signal,
          onLine: () => (isUp = true),
        }),
      );
      await until(() => isUp, 20_000, 'the child is up');
      const asked = performance.now();
      controller.abort(new Error('stop'));
      await expect(outcome).resolves.toMatchObject({ message: 'stop' });
      expect(performance.now() - asked).toBeLessThan(OTHERWISE);
      expect(processesMarked(mark)).toEqual([]);
    });
  });

  test('leaves no child of its own behind when it ends', async () => {
    await everywhere(async (host, scratch) => {
      const args = ['-c', `sh -c 'sleep 60' ${mark} & exit 0`];
      const started = performance.now();
      await runTool(createSpawner(host), { command: '/bin/sh', args, scratch, limits: LIMITS, wallSeconds: 30 });
      expect(performance.now() - started).toBeLessThan(OTHERWISE);
    });
  });

  test('that stalls is found by the watchdog: TOOL_STALLED', async () => {
    await everywhere(async (host, scratch) => {
      let blocks = 0;
      const run = { args: endlessArgs(mark), scratch, limits: LIMITS, stallSeconds: 1.5, onProgress: () => blocks++ };
      const outcome = failureOf(runFfmpeg(createSpawner(host), run));
      await until(() => blocks >= 5, 50_000, 'it makes progress for longer than the watchdog waits');
      const stopped = performance.now();
      processesMarked(mark, 'ffmpeg').forEach((pid) => process.kill(pid, 'SIGSTOP'));
      expect(await outcome).toMatchObject({ code: 'TOOL_STALLED' });
      expect(performance.now() - stopped).toBeLessThan(OTHERWISE);
    });
  });
});

describe('a worker that is killed', () => {
  test('takes its encoders with it', async () => {
    await inScratch(async (dir) => {
      const script = await buildTools(dir);
      await everywhere(async (host, scratch) => {
        const worker = startWorker(script, host, scratch);
        try {
          await encoderRuns();
          worker.kill('SIGKILL');
          await until(() => processesMarked(mark).length === 0, 2000, 'nothing is left of it');
        } finally {
          worker.kill('SIGKILL');
        }
      });
    });
  });

  test('and one that exits in the middle, too', async () => {
    await inScratch(async (dir) => {
      const script = await buildTools(dir);
      await everywhere(async (host, scratch) => {
        const worker = startWorker(script, host, scratch);
        await encoderRuns();
        worker.stdin?.write('exit\n');
        await once(worker, 'exit');
        await until(() => processesMarked(mark).length === 0, 2000, 'nothing is left of it');
      });
    });
  });
});

/** A process of its own that runs an endless encode with our runner. */
function startWorker(script: string, host: Host, scratch: string): ChildProcess {
  const task = JSON.stringify({ host, run: { args: endlessArgs(mark), scratch, limits: LIMITS, stallSeconds: 30 } });
  const worker = spawnPlain(process.execPath, [script], { stdio: ['pipe', 'ignore', 'inherit'] });
  worker.stdin.write(`${task}\n`);
  return worker;
}

/** The tools as plain JavaScript, and a script that takes one task from its standard input. */
async function buildTools(dir: string): Promise<string> {
  for (const part of ['contracts', 'config', 'logging', 'metrics', 'telemetry', 'media', 'tools']) {
    execFileSync('node_modules/.bin/swc', [`src/${part}`, '-d', dir, '--strip-leading-paths', '--quiet'], {
      stdio: 'pipe',
    });
  }
  await writeFile(join(dir, 'package.json'), '{"type": "module"}');
  await symlink(resolve('node_modules'), join(dir, 'node_modules'));
  const url = (path: string) => JSON.stringify(pathToFileURL(join(dir, path)).href);
  const script = join(dir, 'worker.js');
  await writeFile(
    script,
    `import { createInterface } from 'node:readline';
    import { runFfmpeg } from ${url('tools/ffmpeg/run.js')};
    import { createSpawner } from ${url('tools/spawn.js')};
    createInterface({ input: process.stdin }).on('line', (line) => {
      if (line === 'exit') process.exit(0);
      const { host, run } = JSON.parse(line);
      void runFfmpeg(createSpawner(host), run);
    });`,
  );
  return script;
}
