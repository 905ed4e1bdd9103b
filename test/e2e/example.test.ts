/** The example service, as another team would have it: the package installed beside it, types and all. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { createCatalogue } from '../../src/catalogue/postgres.js';
import type { Config } from '../../src/config/index.js';
import type { ProcessSummary } from '../../src/contracts/summary.js';
import { merge } from '../../src/local/addresses.js';
import { makePhoto, makeVideo } from '../../src/local/samples.js';
import { privateStack } from '../support/stack.js';
import { openTlsDoor } from '../support/tls-door.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const modules = join(root, 'node_modules');
const encryptionKeys = `k1:${randomBytes(32).toString('base64')}`;

const own = privateStack();
let config: Config;
let worker: OwnProcess;
let dir: string;
let example: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-example-'));
  config = merge(own.stack.config, { temporal: { encryptionKeys }, scratch: { dir: join(dir, 'scratch') } });
  worker = await startProcess('workers/all.js', config, 'worker ready');
  example = join(dir, 'service');
  await cp(join(root, 'examples/service'), example, { recursive: true });
  // What `npm install` makes of its dependencies, the one on a folder included.
  await mkdir(join(example, 'node_modules/@types'), { recursive: true });
  await symlink(root, join(example, 'node_modules/mediamill'));
  for (const name of ['minio', 'tsx', 'typescript', '@types/node'])
    await symlink(join(modules, name), join(example, 'node_modules', name));
}, 180_000);

afterAll(async () => {
  worker?.kill('SIGTERM');
  await worker?.exited;
  await rm(dir, { recursive: true });
}, 60_000);

/** In an environment of its own: nothing of the test's. */
async function start(file: string, env: Record<string, string> = {}): Promise<ProcessSummary> {
  const { endpoint, accessKey, secretKey, uploadsBucket } = config.storage;
  const { stdout } = await run(process.execPath, ['--import', 'tsx', 'service.ts', file], {
    cwd: example,
    env: {
      PATH: process.env['PATH'],
      HOME: dir,
      STORAGE_ENDPOINT: endpoint,
      STORAGE_ACCESS_KEY: accessKey,
      STORAGE_SECRET_KEY: secretKey,
      STORAGE_UPLOADS_BUCKET: uploadsBucket,
      TEMPORAL_ADDRESS: config.temporal.address,
      TEMPORAL_NAMESPACE: config.temporal.namespace,
      TEMPORAL_ENCRYPTION_KEYS: encryptionKeys,
      ...env,
    },
  });
  return JSON.parse(stdout) as ProcessSummary;
}

test('what is packed has the client and its declarations, and they are enough for strict types', async () => {
  await run(process.execPath, [join(modules, 'typescript/bin/tsc'), '-p', 'tsconfig.client.json'], { cwd: root });
  await run(process.execPath, [join(modules, 'typescript/bin/tsc'), '--noEmit'], { cwd: example });
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths).toContain('dist/client/index.js');
  expect(paths).toContain('dist/.types/client/index.d.ts');
  expect(paths.filter((path) => /^(src|test|bench)\//.test(path))).toEqual([]);
}, 120_000);

test('the example has an image made, waits for it and prints what is there', async () => {
  const summary = await start(await makePhoto(join(dir, 'photo.jpg'), 640, 480));
  expect(summary).toMatchObject({ kind: 'image', state: 'ready', missing: [] });
  const catalogue = createCatalogue(config.catalogue);
  try {
    const row = await catalogue.find(summary.assetId);
    expect(row).toMatchObject({ tenant: 'example', state: 'ready', metadata: { from: 'the example service' } });
  } finally {
    await catalogue.close();
  }
}, 120_000);

test('it does so over TLS, with a client certificate and an API key from the environment', async () => {
  const door = await openTlsDoor(config.temporal.address, 'key-of-a-test');
  try {
    const video = await makeVideo(join(dir, 'clip.mp4'), { seconds: 2, width: 320, height: 180 });
    const summary = await start(video, door.env);
    expect(summary).toMatchObject({ kind: 'video', state: 'ready' });
    expect(door.calls.some((path) => path.endsWith('/StartWorkflowExecution'))).toBe(true);

    const photo = await makePhoto(join(dir, 'other.jpg'), 320, 240);
    await expect(start(photo, { ...door.env, TEMPORAL_API_KEY: 'wrong' })).rejects.toThrow();
    const { TEMPORAL_TLS_CLIENT_CERT_PATH: _, TEMPORAL_TLS_CLIENT_KEY_PATH: __, ...nobody } = door.env;
    await expect(start(photo, nobody)).rejects.toThrow();
  } finally {
    await door.close();
  }
}, 180_000);

test('of a file that can not be processed it says why, and ends with 1', async () => {
  const file = join(dir, 'broken.png');
  await writeFile(file, 'this is no picture');
  await expect(start(file)).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/^[A-Z_]+: .+\n$/m) });
}, 120_000);
