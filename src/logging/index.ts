import type { Config } from '../config/index.js';
import type { LogFields, Logger } from './logger.js';
import { pinoSink } from './pino.js';
import { loggerOn, type Sink } from './sink.js';
import { winstonSink } from './winston.js';

export type { LogFields, Logger, LogLevel } from './logger.js';
export { temporalLogger } from './temporal.js';

const BACKENDS: Readonly<Record<string, (stream: NodeJS.WritableStream) => Sink>> = {
  pino: pinoSink,
  winston: winstonSink,
};

/**
 * @param bindings fields of every line
 * @param stream where lines go; standard output unless a command prints its result there
 */
export function createLogger(
  config: Config['log'],
  bindings: LogFields = {},
  stream: NodeJS.WritableStream = process.stdout,
): Logger {
  const known = Object.hasOwn(BACKENDS, config.backend);
  const logger = loggerOn((known ? BACKENDS[config.backend]! : pinoSink)(stream), config.level).child(bindings);
  if (!known)
    logger.warn('Unknown log backend, using pino.', { backend: config.backend, setting: 'log.backend (LOG_BACKEND)' });
  return logger;
}
