/** Temporal's test server, in which days pass while nothing is to be done. Fetched once per user, as the other servers are. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll } from '@jest/globals';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';

import { buildOnce } from '../../src/local/build.js';
import { cachedDir, serverCacheDir } from '../../src/local/find.js';
import { silent } from '../../src/local/progress.js';
import { JAVA, MAVEN } from '../../src/local/servers/requirements.js';
import type { Buildable } from '../../src/local/servers/types.js';

const SOURCE: Buildable = {
  name: 'temporal-test-server',
  version: '1.31.0',
  entry: 'libs',
  build: {
    requires: [JAVA, MAVEN],
    command: 'mvn',
    args: [
      ...['--batch-mode', '--no-transfer-progress', '--file'],
      fileURLToPath(new URL('./temporal-test-server/pom.xml', import.meta.url)),
      'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
      ...['-DincludeScope=runtime', '-DoutputDirectory={out}/libs'],
    ],
    env: {},
  },
};

/** A cold start fetches it. */
const START_MS = 300_000;

/** Registers hooks; use what it returns within tests. */
export function useTimeSkipping(): { readonly env: TestWorkflowEnvironment } {
  let env: TestWorkflowEnvironment | undefined;
  let dir: string | undefined;
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    await buildOnce(SOURCE, serverCacheDir(), silent);
    dir = await mkdtemp(join(tmpdir(), 'mediamill-time-'));
    const libs = join(cachedDir(SOURCE, serverCacheDir()), 'libs', '*');
    const path = join(dir, 'test-server');
    await writeFile(path, `#!/bin/sh\nexec java -cp '${libs}' io.temporal.testserver.TestServer "$@"\n`);
    await chmod(path, 0o755);
    env = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } });
  }, START_MS);
  afterAll(async () => {
    await env?.teardown();
    if (dir) await rm(dir, { recursive: true, force: true });
  }, 60_000);
  return {
    get env() {
      if (!env) throw new Error('the server is there within tests and hooks only');
      return env;
    },
  };
}
