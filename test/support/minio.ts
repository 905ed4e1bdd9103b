import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type Config } from '../../src/config/index.js';
import { findBinary, freePort, start, stopChild, waitFor } from './server.js';

export interface TestMinio {
  readonly config: Config['storage'];
  stop(): Promise<void>;
}

/** A MinIO server of its own, with data in a folder of its own. */
export async function startMinio(): Promise<TestMinio> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-minio-'));
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const config = loadConfig({ files: [], env: {}, overrides: { storage: { endpoint } } }).storage;
  const { child, output } = start(
    findBinary('minio', 'MINIO_BIN'),
    ['server', '--quiet', '--address', new URL(endpoint).host, dir],
    { MINIO_ROOT_USER: config.accessKey, MINIO_ROOT_PASSWORD: config.secretKey, MINIO_UPDATE: 'off' },
  );
  await waitFor('MinIO', async () => (await fetch(`${endpoint}/minio/health/ready`)).ok, child, output);
  return {
    config,
    async stop() {
      await stopChild(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
