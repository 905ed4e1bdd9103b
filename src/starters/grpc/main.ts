/** Process entry: serves gRPC until a signal stops it. */
import { openContext } from '../../api/open-context.js';
import { loadConfig } from '../../config/index.js';
import { createLogger } from '../../logging/index.js';
import { serveMetrics } from '../../metrics/index.js';
import { startTelemetry } from '../../telemetry/index.js';
import { startGrpcServer } from './server.js';

const STOP_LIMIT = 12_000;

const config = loadConfig();
const logger = createLogger(config.log, { process: 'starter:grpc' });
const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
});
try {
  const telemetry = await startTelemetry('starter:grpc', logger);
  const page = await serveMetrics({ kind: 'grpc', metrics: config.metrics }, logger);
  const { ctx, close } = openContext(config, logger, 'starter:grpc');
  const server = await startGrpcServer(ctx, config.grpc);
  logger.info('grpc server ready', { host: config.grpc.host, port: server.port });
  // For a supervisor that waits for it, as `mediamill up` does.
  process.send?.('ready');
  await stopped;
  setTimeout(() => {
    logger.warn('stopping took too long');
    process.exit(1);
  }, STOP_LIMIT);
  await server.close();
  await close();
  await page.close();
  await telemetry.close();
  logger.info('stopped');
} catch (error) {
  logger.error('grpc server failed', { error });
  process.exitCode = 1;
}
await logger.flush();
// A socket that does not let go must not keep a stopped server.
process.exit();
