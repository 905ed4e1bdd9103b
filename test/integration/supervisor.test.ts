import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTimeOf } from '../../src/local/state.js';
import type { Status } from '../../src/starters/cli/status.js';

const BIN = join(process.cwd(), 'bin/mediamill.mjs');

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('mediamill up, status, down', () => {
  let home: string;
  let up: ChildProcess | undefined;

  const mediamill = (...args: string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      execFile(process.execPath, [BIN, ...args], { cwd: home, env: environment() }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
  // Jest's own loader options are not for the command.
  const environment = () => ({ ...process.env, NODE_OPTIONS: '', MEDIAMILL_CONFIG: '' });
  const status = async (): Promise<Status> => JSON.parse((await mediamill('status', '--json')).stdout) as Status;
  const pidsOf = ({ pid, processes }: Status): number[] =>
    [pid, ...processes.map((one) => one.pid)].filter((one) => one !== null);
  const alive = (pids: readonly number[]): number[] => pids.filter((pid) => startTimeOf(pid) !== undefined);

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'mediamill-up-'));
  });
  afterAll(async () => {
    await mediamill('down');
    up?.kill('SIGKILL');
    await rm(home, { recursive: true, force: true });
  }, 60_000);

  it('comes up in the background, tells where, goes down, and finds its ports again', async () => {
    expect(await mediamill('status')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('not running') as unknown as string,
    });

    const first = await mediamill('up', '--detach', '--servers-only');
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr).toMatch(/kafka is ready after .* s\n/);
    const running = await status();
    expect(running).toMatchObject({ running: true, phase: 'ready', given: [], stateDir: join(home, '.mediamill') });
    expect(running.processes.map(({ name }) => name)).toEqual(['temporal', 'kafka', 'minio', 'postgres']);
    expect(alive(pidsOf(running))).toHaveLength(5);

    const second = await mediamill('up', '--servers-only');
    expect(second).toMatchObject({ code: 1, stderr: `already running (process ${running.pid})\n` });

    expect(await mediamill('down')).toMatchObject({ code: 0, stdout: 'stopped\n' });
    expect(alive(pidsOf(running))).toEqual([]);
    expect(await mediamill('down')).toMatchObject({ code: 0, stdout: 'not running\n' });

    await mediamill('up', '--detach', '--servers-only');
    expect((await status()).addresses).toEqual(running.addresses);
    await mediamill('down');
  }, 180_000);

  it('starts a server again that has died, and takes all with it when it is killed itself', async () => {
    up = spawn(process.execPath, [BIN, 'up', '--servers-only'], {
      cwd: home,
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    up.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
    while (!output.includes('Everything is up')) await sleep(100);
    const before = await status();
    const minio = before.processes.find(({ name }) => name === 'minio')!;
    process.kill(minio.pid!, 'SIGKILL');

    let after = before;
    const revived = () => after.processes.find(({ name }) => name === 'minio')!;
    while (revived().pid === minio.pid || revived().pid === null) {
      await sleep(200);
      after = await status();
    }
    expect(revived().restarts).toBe(1);
    while ((await fetch(`${after.addresses.minio}/minio/health/ready`).catch(() => undefined))?.status !== 200)
      await sleep(100);

    up.kill('SIGKILL');
    await once(up, 'exit');
    const pids = pidsOf(await status()).concat(pidsOf(after));
    const patience = Date.now() + 5000;
    while (alive(pids).length > 0 && Date.now() < patience) await sleep(50);
    expect(alive(pids)).toEqual([]);
  }, 180_000);
});
