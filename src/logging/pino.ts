import { pino } from 'pino';
import { drained, type Sink } from './sink.js';

export function pinoSink(stream: NodeJS.WritableStream): Sink {
  const backend = pino(
    {
      // The level is decided before a line comes here.
      level: 'debug',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      // Errors come as data already.
      serializers: { err: (value: unknown) => value, error: (value: unknown) => value },
    },
    stream,
  );
  return {
    write: (level, message, fields) => backend[level](fields, message),
    flush: () => drained(stream),
  };
}
