/** Temporal's test server, in which days pass while nothing is to be done. Fetched once per user, as the other servers are. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

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

/** It lives for one file of tests. */
const QUICK = '-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1';
/** The SDK gives a server five seconds; beside other suites a JVM may take longer. */
const ATTEMPTS = 6;

export interface TimeServer {
  readonly env: TestWorkflowEnvironment;
  stop(): Promise<void>;
}

export async function startTimeServer(): Promise<TimeServer> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  await buildOnce(SOURCE, serverCacheDir(), silent);
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-time-'));
  const remove = () => rm(dir, { recursive: true, force: true });
  try {
    const libs = join(cachedDir(SOURCE, serverCacheDir()), 'libs', '*');
    const path = join(dir, 'test-server');
    await writeFile(path, `#!/bin/sh\nexec java ${QUICK} -cp '${libs}' io.temporal.testserver.TestServer "$@"\n`);
    await chmod(path, 0o755);
    const env = await started({ type: 'existing-path', path });
    return { env, stop: () => env.teardown().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function started(executable: { type: 'existing-path'; path: string }): Promise<TestWorkflowEnvironment> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
    } catch (error) {
      if (attempt === ATTEMPTS || !String(error).includes('did not start within')) throw error;
    }
  }
}
