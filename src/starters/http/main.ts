/** Process entry: serves HTTP until a signal stops it. */
import { openContext } from '../../api/open-context.js';
import { RELAY_HANDLERS } from '../../api/relay/handlers.js';
import { startRelay } from '../../api/relay/relay.js';
import { loadConfig } from '../../config/index.js';
import type { Config } from '../../config/schema.js';
import { createLogger } from '../../logging/index.js';
import type { Logger } from '../../logging/logger.js';
import { serveMetrics } from '../../metrics/index.js';
import { openProducer } from '../../messaging/kafka.js';
import { startTelemetry } from '../../telemetry/index.js';
import { watchOutbox } from './outbox-depth.js';
import { createServer } from './server.js';

/** Milliseconds. */
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

async function serve(config: Config, logger: Logger): Promise<void> {
  const telemetry = await startTelemetry('starter:http', logger);
  const page = await serveMetrics({ kind: 'http', metrics: config.metrics }, logger);
  const { ctx, onWake, close } = openContext(config, logger, 'starter:http');
  watchOutbox(ctx.db);
  const producer = openProducer(config.kafka, logger);
  const relay = startRelay({ ...ctx, producer }, RELAY_HANDLERS);
  onWake(() => relay.wake());
  const server = await createServer(ctx);
  try {
    const { host, port } = config.http;
    const address = await server.listen({ host, port });
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
    await relay.close();
    await producer.close();
    await close();
    await page.close();
    await telemetry.close();
    clearTimeout(giveUp);
  }
}
