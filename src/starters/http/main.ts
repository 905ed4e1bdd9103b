/** Process entry: serves HTTP until a signal stops it. */
import { createCatalogue } from '../../catalogue/postgres.js';
import { openTemporal } from '../../client/lazy-connection.js';
import { wanted } from '../../client/wanted.js';
import { loadConfig } from '../../config/index.js';
import type { Config } from '../../config/schema.js';
import { createLogger } from '../../logging/index.js';
import type { Logger } from '../../logging/logger.js';
import { createObjectStore } from '../../storage/index.js';
import { createServer } from './server.js';

/** A segment that is asked for by a player that has gone since is of no use. Milliseconds. */
const WISH_DEADLINE = 5_000;
const STOP_LIMIT = 12_000;

const config = loadConfig();
const logger = createLogger(config.log, { process: 'starter:http' });
const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
});
try {
  await serve(config, logger);
  logger.info('stopped');
} catch (error) {
  logger.error('http server failed', { error });
  process.exitCode = 1;
}
await logger.flush();
// A socket that does not let go must not keep a stopped server.
process.exit();

async function serve({ http, storage, catalogue: database, temporal }: Config, logger: Logger): Promise<void> {
  const catalogue = createCatalogue(database);
  const client = openTemporal(temporal, 'starter:http');
  const server = await createServer(
    {
      catalogue,
      store: createObjectStore(storage),
      wanted: async (workflowId, wish) => {
        await client.withDeadline(Date.now() + WISH_DEADLINE, () => wanted(client, workflowId, wish));
      },
      logger,
    },
    { ...http, mediaBucket: storage.mediaBucket },
  );
  try {
    const address = await server.listen({ host: http.host, port: http.port });
    logger.info('http server ready', { address });
    // For a supervisor that waits for it, as `mediamill up` does.
    process.send?.('ready');
    await stopped;
  } finally {
    const giveUp = setTimeout(() => {
      logger.warn('stopping took too long');
      process.exit(1);
    }, STOP_LIMIT);
    await server.close();
    await client.connection.close();
    await catalogue.close();
    clearTimeout(giveUp);
  }
}
