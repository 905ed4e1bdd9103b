/** A resumable upload, and a server that dies under it again and again. */
import { createHash, randomFillSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, expect, test } from '@jest/globals';
import getPort from 'get-port';
import { Upload } from 'tus-js-client';

import { connect, type Database } from '../../src/catalogue/database.js';
import type { Config } from '../../src/config/schema.js';
import { merge } from '../../src/local/addresses.js';
import { createObjectStore } from '../../src/storage/index.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

const MIB = 1024 * 1024;
const BYTES = 200 * MIB;
/** Bytes of progress after which the server is killed. */
const DEATHS = [40 * MIB, 100 * MIB, 160 * MIB];

const stack = useStack();
let server: OwnProcess | undefined;
let db: Database | undefined;
afterAll(async () => {
  server?.kill('SIGKILL');
  await server?.exited;
  await db?.destroy();
}, 30_000);

test('killed three times in the middle of 200 MB: tus-js-client goes on, and the bytes are equal', async () => {
  const isolated = await stack.isolated({ database: true });
  const config: Config = merge(isolated, { http: { port: await getPort() } });
  const start = async () => (server = await startProcess('starters/http/main.js', config, 'http server ready'));
  await start();
  db = connect(config.catalogue);

  const bytes = randomFillSync(Buffer.allocUnsafe(BYTES));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const deaths = [...DEATHS];
  let restarting = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    const upload = new Upload(bytes, {
      endpoint: `http://127.0.0.1:${config.http.port}/v1/uploads`,
      metadata: { filename: 'film.mp4', filetype: 'video/mp4', sha256 },
      retryDelays: Array.from({ length: 60 }, () => 500),
      onProgress(sent) {
        if (sent < (deaths[0] ?? Infinity)) return;
        deaths.shift();
        server!.kill('SIGKILL');
        restarting = restarting.then(async () => {
          await server!.exited;
          await sleep(500);
          await start();
        });
        restarting.catch(reject);
      },
      onError: reject,
      onSuccess: () => resolve(),
    });
    upload.start();
  });
  await restarting;
  expect(deaths).toEqual([]);

  const rows = await db.selectFrom('assets').select(['bucket', 'key', 'source_sha256', 'state']).execute();
  expect(rows).toEqual([expect.objectContaining({ source_sha256: sha256, state: 'received' })]);
  const store = createObjectStore(config.storage);
  const stored = await store.read(rows[0]!.bucket, rows[0]!.key);
  expect(createHash('sha256').update(stored).digest('hex')).toBe(sha256);
  // Nothing of it is left elsewhere.
  for await (const { key } of store.list(config.storage.stagingBucket, '')) throw new Error(`left over: ${key}`);
}, 240_000);
