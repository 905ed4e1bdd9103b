// One stack of real servers for a whole jest run, started when the first test asks for it.
// Plain JavaScript on dist/: jest does not compile ES modules for this hook.
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../../scripts/build.mjs';

export default async function setup() {
  await ensureBuilt();
  let stack;
  const start = async () => {
    const { startStack } = await import('../../dist/local/stack.js');
    const { printProgress } = await import('../../dist/local/progress.js');
    const { loadConfig } = await import('../../dist/config/index.js');
    globalThis.__stackDir = await mkdtemp(join(tmpdir(), 'mediamill-test-'));
    return startStack({
      config: loadConfig({ files: [], overrides: { kafka: { partitions: 3 } } }),
      stateDir: globalThis.__stackDir,
      ports: 'free',
      progress: printProgress((line) => process.stderr.write(`[stack] ${line}\n`)),
    });
  };
  const server = createServer((_request, response) => {
    // Suites ask minutes apart: a connection that is kept would be closed just as the next one takes it.
    response.setHeader('connection', 'close');
    stack ??= start();
    stack.then(
      ({ config, ports, stateDir }) => response.end(JSON.stringify({ config, ports, stateDir })),
      (error) => response.writeHead(500).end(String(error.message)),
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env.MEDIAMILL_TEST_STACK = `http://127.0.0.1:${server.address().port}`;
  globalThis.__stopStack = async () => {
    server.close();
    server.closeAllConnections();
    await (await stack?.catch(() => undefined))?.stop();
  };
}
