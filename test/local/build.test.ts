import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { buildOnce, ensureServers, fillOut } from '../../src/local/build.js';
import { loadConfig } from '../../src/config/index.js';
import { printProgress, silent } from '../../src/local/progress.js';
import type { ServerSource } from '../../src/local/servers/types.js';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'mediamill-cache-'));
});
afterEach(() => rm(cache, { recursive: true, force: true }));

/** A "server" that a shell builds. */
const source = (script: string): ServerSource => ({
  name: 'minio',
  version: 'v1',
  configured: '',
  variable: 'MINIO_BIN',
  fromPath: (command) => command,
  entry: 'minio',
  runs: [],
  build: { requires: [], command: 'sh', args: ['-c', script], env: { OUT: '{out}' } },
});

it('puts the output folder into arguments and environment', () => {
  const plan = { requires: [], command: 'mvn', args: ['-DoutputDirectory={out}/libs'], env: { GOBIN: '{out}' } };
  expect(fillOut(plan, '/tmp/x')).toMatchObject({ args: ['-DoutputDirectory=/tmp/x/libs'], env: { GOBIN: '/tmp/x' } });
});

it('builds once, however many want it at once', async () => {
  const counted = source(`echo ran >> ${cache}/runs; sleep 0.3; echo binary > "$OUT/minio"`);
  await Promise.all([1, 2, 3].map(() => buildOnce(counted, cache, silent)));
  expect(await readFile(join(cache, 'runs'), 'utf8')).toBe('ran\n');
  expect(await readFile(join(cache, 'minio-v1/minio'), 'utf8')).toBe('binary\n');
  expect((await readdir(cache)).sort()).toEqual(['minio-v1', 'runs']);
}, 15_000);

it('leaves nothing of a build that failed, and tells its last words', async () => {
  const broken = source('echo half > "$OUT/minio"; echo "no such module" >&2; exit 3');
  await expect(buildOnce(broken, cache, silent)).rejects.toThrow(
    /Building minio v1 failed: sh ended with exit code 3\nno such module/,
  );
  expect(await readdir(cache)).toEqual([]);
});

it('shows the last line of what it builds', async () => {
  const lines: string[] = [];
  await buildOnce(
    source('echo compiling; sleep 0.5; echo binary > "$OUT/minio"'),
    cache,
    printProgress((line) => lines.push(line), 100),
  );
  expect(lines[0]).toBe('minio v1  0 s  started');
  expect(lines).toContainEqual(expect.stringMatching(/^minio v1 {2}[01] s {2}compiling$/));
  expect(lines.at(-1)).toMatch(/built$/);
});

it('names everything that is missing at once', async () => {
  const { local } = loadConfig({ files: [], env: {} });
  const bare = { which: () => undefined, exists: () => false, cacheDir: cache };
  await expect(ensureServers(['temporal', 'kafka'], local, silent, bare)).rejects.toThrow(
    /temporal needs go: .*\n.*kafka needs java: .*; kafka needs mvn: /,
  );
});
