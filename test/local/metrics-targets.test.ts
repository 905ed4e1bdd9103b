import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from '@jest/globals';

import { loadConfig } from '../../src/config/index.js';
import { targetsFile, writeTargets } from '../../src/local/metrics-targets.js';
import { servicePlans } from '../../src/local/services.js';
import { DEFAULT_PORTS } from '../../src/local/servers/types.js';

const encryptionKeys = `k:${Buffer.alloc(32, 7).toString('base64')}`;
const config = loadConfig({ files: [], env: {}, overrides: { temporal: { encryptionKeys } } });

it('tells Prometheus of every process of a local stack, each with a port of its own', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-targets-'));
  try {
    await writeTargets(dir, servicePlans(config), { config, ports: DEFAULT_PORTS });
    const targets = JSON.parse(await readFile(targetsFile(dir), 'utf8')) as { targets: string[]; labels: object }[];
    expect(targets).toContainEqual({ targets: ['127.0.0.1:9464'], labels: { role: 'workers' } });
    expect(targets.map(({ labels }) => labels)).toEqual(
      ['workers', 'http', 'grpc', 'starter', 'codec'].map((role) => ({ role })),
    );
    expect(new Set(targets.flatMap((one) => one.targets)).size).toBe(5);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
