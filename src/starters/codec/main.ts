/** Process entry: the codec server, until a signal stops it. */
import { once } from 'node:events';

import { EncryptionCodec, parseEncryptionKeys } from '../../client/encryption.js';
import { loadConfig } from '../../config/index.js';
import { createLogger } from '../../logging/index.js';
import { serveMetrics } from '../../metrics/index.js';
import { createCodecServer, originsOf } from './server.js';

const { temporal, codec, log, metrics } = loadConfig();
const logger = createLogger(log, { process: 'starter:codec' });
const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
});
try {
  const keys = parseEncryptionKeys(temporal.encryptionKeys);
  if (keys.length === 0) throw new Error('There is nothing to decrypt without temporal.encryptionKeys.');
  const page = await serveMetrics({ kind: 'codec', metrics }, logger);
  const settings = { origins: originsOf(temporal.uiUrl), token: codec.token };
  const server = createCodecServer(new EncryptionCodec(keys), settings, logger);
  server.listen(codec.port, codec.host);
  await once(server, 'listening');
  logger.info('codec server ready', { address: server.address() });
  // For a supervisor that waits for it, as `mediamill up` does.
  process.send?.('ready');
  await stopped;
  server.close();
  server.closeAllConnections();
  await page.close();
  logger.info('stopped');
} catch (error) {
  logger.error('codec server failed', { error });
  process.exitCode = 1;
}
await logger.flush();
process.exit();
