import { setImmediate } from 'node:timers/promises';
import { createLogger, format, transports } from 'winston';
import type { LogFields } from './logger.js';
import { drained, type Sink } from './sink.js';

/** Winston's own mark of a line's level; a format must keep it. */
const LEVEL = Symbol.for('level');

export function winstonSink(stream: NodeJS.WritableStream): Sink {
  const line = format(
    (info) =>
      ({
        [LEVEL]: info.level,
        time: new Date().toISOString(),
        level: info.level,
        ...(info.fields as LogFields),
        msg: info.message,
      }) as never,
  );
  const transport = new transports.Stream({ stream, eol: '\n' });
  const backend = createLogger({
    level: 'debug',
    format: format.combine(line(), format.json()),
    transports: [transport],
  });
  return {
    write: (level, message, fields) => void backend.log({ level, message, fields }),
    async flush() {
      while (backend.writableLength + backend.readableLength + transport.writableLength > 0) await setImmediate();
      await drained(stream);
    },
  };
}
